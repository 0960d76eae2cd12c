using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class DomainSourceTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_SourceHangs_ConfiguredCertificatesAreServedAtOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await FillAsync(fixture, new ChangingSource([]));

        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"),
            acme: builder => builder.Services.AddSingleton<IDomainSource>(new HangingSource()),
            configure: builder => builder.Services.AddSingleton(new IssuanceSettings { LoadTime = TimeSpan.FromSeconds(1) }));

        Assert.False((await app.ConnectAsync("app.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Start_SourceFails_ItsLastNamesAreServedAndManaged()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await FillAsync(fixture, new ChangingSource(["late.test"]), "late.test");
        var source = new ChangingSource([]);
        source.Set(null);

        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"), acme: builder => builder.Services.AddSingleton<IDomainSource>(source));

        Assert.False((await app.ConnectAsync("late.test", Cancelled)).IsSelfSigned);
        await Poll.UntilAsync(() => app.Log.Has("DomainSourceFailed"), "the source was asked", cancellationToken: Cancelled);
        Assert.NotNull(app.Certificates.Find("late.test"));
    }

    [Fact]
    public async Task Start_SourceHandsOutATokenThatHasFired_IsNotAskedWithoutEnd()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var source = new FiredSource();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"), acme: builder => builder.Services.AddSingleton<IDomainSource>(source));

        await Poll.UntilAsync(() => source is { Tokens: > 0, Questions: > 1 }, "the source is followed", cancellationToken: Cancelled);
        await app.ObtainedAsync("app.test");

        Assert.InRange(source.Tokens, 1, 10);
    }

    [Fact]
    public async Task Change_OneAfterTheOther_EachIsSeen()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var source = new ChangingSource(["n0.test"]);
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"), acme: builder => builder.Services.AddSingleton<IDomainSource>(source));
        await Poll.UntilAsync(() => app.Certificates.Find("n0.test") is not null, "the first name", cancellationToken: Cancelled);

        for (var i = 1; i <= 20; i++)
        {
            source.Set([$"n{i}.test"]);
            await Poll.UntilAsync(() => app.Certificates.Find($"n{i}.test") is not null, $"name {i}", cancellationToken: Cancelled);
        }
    }

    private static async Task FillAsync(LocalFixture fixture, IDomainSource source, params string[] names)
    {
        var port = FreePort.Tcp();
        foreach (var name in names)
        {
            fixture.Authority.Resolve(name, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        }

        var settings = fixture.Settings("app.test");
        settings["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        fixture.Authority.Resolve("app.test", new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        await using var app = await AcmeApp.StartAsync(
            settings, acme: builder => builder.Services.AddSingleton(source), cancellationToken: Cancelled);
        foreach (var name in names.Append("app.test"))
        {
            await app.ObtainedAsync(name);
        }

        await app.StopAsync(Cancelled);
    }
}
