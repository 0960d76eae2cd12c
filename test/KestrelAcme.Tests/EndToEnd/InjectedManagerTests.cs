using KestrelAcme.Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What the app adds to KestrelAcme may itself need the manager, or the server.</summary>
public sealed class InjectedManagerTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Start_HandlerAndSourceNeedTheManager_StartsAndCallsThem(string environment)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"),
            acme: acme =>
            {
                acme.AddCertificateEventHandler<AskingHandler>().AddDomainSource<AskingSource>();
                acme.Services.AddSingleton(new Answers());
            },
            configure: builder => builder.Environment.EnvironmentName = environment);

        var answers = app.Services.GetRequiredService<Answers>();
        await Poll.UntilAsync(
            () => answers is { Obtained: "app.test", Asked: true }, () => $"the calls\n{app.Log}", cancellationToken: Cancelled);
        Assert.NotEmpty(answers.Addresses);
    }

    private sealed class Answers
    {
        public volatile string? Obtained;
        public volatile bool Asked;
        public volatile string[] Addresses = [];
    }

    private sealed class AskingHandler(ICertificateManager manager, IServer server, Answers answers) : ICertificateEventHandler
    {
        public Task OnObtainedAsync(CertificateStatus status, CancellationToken cancellationToken)
        {
            answers.Addresses = [.. server.Features.Get<IServerAddressesFeature>()!.Addresses];
            answers.Obtained = manager.Find(status.Id)?.Id;
            return Task.CompletedTask;
        }
    }

    private sealed class AskingSource(ICertificateManager manager, Answers answers) : IDomainSource
    {
        public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
        {
            answers.Asked = manager.List().Count > 0;
            return Task.FromResult<IReadOnlyCollection<string>>([]);
        }
    }
}
