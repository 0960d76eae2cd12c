using KestrelAcme.Certificates;
using KestrelAcme.Challenges;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Orders that fail for the settings of a DNS provider, until the operator corrects them.</summary>
public sealed class RepairedSettingsTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("new-token", "00:05:00")]
    [InlineData("old-token", "00:10:00")]
    public async Task Order_DnsProviderWasCorrectedWhileStopped_IsTriedAtOnce(string token, string timeout)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var handler = new DnsHandler();
        await FailAsync(fixture, handler);

        await using var app = await StartAsync(fixture, handler, token, timeout);

        await Poll.UntilAsync(() => handler.Prepared > 1, () => $"another attempt\n{app.Log}", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Order_DnsProviderIsAsBefore_WaitsForTheOperator()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var handler = new DnsHandler();
        await FailAsync(fixture, handler);

        await using var app = await StartAsync(fixture, handler);

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.NextOrder > TimeProvider.System.GetUtcNow().AddHours(1),
            () => $"the plan\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(1, handler.Prepared);
    }

    [Fact]
    public async Task Order_DnsMayTakeLongerThanOrdersUsuallyDo_IsNotCutOff()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = QuickIssuance.Settings with { OrderTime = TimeSpan.FromMilliseconds(500) };
        var handler = new DnsHandler { Delay = settings.OrderTime * 3 };

        await using var app = await StartAsync(fixture, handler, configure: services => services.AddSingleton(settings));

        Assert.True(await handler.Visible.WaitAsync(Cancelled), app.Log.ToString());
    }

    private static async Task FailAsync(LocalFixture fixture, DnsHandler handler)
    {
        await using var app = await StartAsync(fixture, handler);
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is { Cause: FailureCause.Operator },
            () => $"the failure\n{app.Log}",
            cancellationToken: Cancelled);
        await app.StopAsync(Cancelled);
        Assert.Equal(1, handler.Prepared);
    }

    private static Task<AcmeApp> StartAsync(
        LocalFixture fixture,
        DnsHandler handler,
        string token = "old-token",
        string timeout = "00:05:00",
        Action<IServiceCollection>? configure = null)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:ChallengeTypes:0"] = handler.ChallengeType;
        settings["AcmeHttps:DnsProviders:0:Type"] = "Cloudflare";
        settings["AcmeHttps:DnsProviders:0:ApiToken"] = token;
        settings["AcmeHttps:DnsProviders:0:PropagationTimeout"] = timeout;
        return fixture.StartAppAsync(
            settings,
            acme => acme.Services.AddSingleton<IChallengeHandler>(handler),
            builder => configure?.Invoke(builder.Services));
    }

    /// <summary>Takes the place of the handler for dns-01: the provider refuses the token, or its servers are slow.</summary>
    private sealed class DnsHandler : IChallengeHandler
    {
        private readonly TaskCompletionSource<bool> _visible = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _prepared;

        public string ChallengeType => "dns-01";

        /// <summary>How long a record takes to become visible; <see langword="null"/> if it cannot be created.</summary>
        public TimeSpan? Delay { get; init; }

        public int Prepared => Volatile.Read(ref _prepared);

        /// <summary>Whether it became visible, and was not given up.</summary>
        public Task<bool> Visible => _visible.Task;

        public bool CanHandle(string identifierType, string value, bool wildcard) => true;

        public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _prepared);
            return Delay is not null
                ? Task.CompletedTask
                : throw new ChallengeException("The provider refuses the token.") { Fault = ChallengeFault.Operator };
        }

        public async Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        {
            await Task.Delay(Delay!.Value, TimeProvider.System, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _visible.TrySetResult(!cancellationToken.IsCancellationRequested);
            cancellationToken.ThrowIfCancellationRequested();
        }

        public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
