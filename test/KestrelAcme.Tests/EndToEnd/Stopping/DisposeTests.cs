using KestrelAcme.Certificates.Engine;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>
/// The host is disposed in the middle of something, without being stopped before: what the work uses must not be gone while it still runs.
/// </summary>
public sealed class DisposeTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ResourceKind.Directory)]
    [InlineData(ResourceKind.RenewalInformation)]
    public async Task Dispose_PollForRenewalInfoInFlight_IsSilent(ResourceKind asked)
    {
        await using var fixture = await LocalFixture.StartAsync();

        // Not answered to the first run either: the second one asks at once.
        fixture.Authority.Faults.Inject(ResourceKind.RenewalInformation, Fault.NoAnswer, int.MaxValue);
        await fixture.FillStoreAsync(Name);

        fixture.Authority.ClearRequests();
        fixture.Authority.Faults.Inject(asked, Fault.NoAnswer, int.MaxValue);
        await DisposesSilentlyAsync(fixture, await fixture.StartAppAsync(fixture.Settings(Name)), asked);
    }

    [Theory]
    [InlineData(ResourceKind.Directory)]
    [InlineData(ResourceKind.NewAccount)]
    [InlineData(ResourceKind.NewOrder)]
    [InlineData(ResourceKind.Challenge)]
    [InlineData(ResourceKind.Finalize)]
    public async Task Dispose_OrderInFlight_IsSilent(ResourceKind asked)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(asked, Fault.NoAnswer, int.MaxValue);
        await DisposesSilentlyAsync(fixture, await fixture.StartAppAsync(fixture.Settings(Name)), asked);
    }

    private static async Task DisposesSilentlyAsync(LocalFixture fixture, AcmeApp app, ResourceKind asked)
    {
        await Poll.UntilAsync(
            () => fixture.Authority.Requests.Any(r => r.Resource == asked),
            () => $"the request\n{app.Log}",
            cancellationToken: Cancelled);
        var engine = app.Services.GetRequiredService<CertificateEngine>();
        var before = app.Log.Lines.Count;

        await app.DisposeUnstoppedAsync();
        await engine.Ended.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);

        // The host itself complains of a background service that it disposed of before it came to run: nothing of ours had begun.
        Assert.DoesNotContain(
            app.Log.Lines.Skip(before),
            l => l.Level >= LogLevel.Warning && l.Event.Name?.StartsWith("BackgroundService", StringComparison.Ordinal) != true);
    }
}
