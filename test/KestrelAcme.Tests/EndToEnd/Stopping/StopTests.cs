using System.Diagnostics;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd.Crash;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>The host stops in the middle of something.</summary>
public sealed class StopTests
{
    private const string Name = "app.test";
    private const string Other = "other.test";

    // Ten seconds are for the validation; a busy machine may take some for the rest. Hosts kill after thirty.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(25);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stop_ChallengePosted_IsStillAnsweredAndTheOrderResumed()
    {
        await using var crash = await CrashCase.CreateAsync();
        crash.Fixture.Authority.Faults.ValidationStuck = true;
        await using (var app = crash.Start())
        {
            await PostedAsync(crash.Fixture);
            var stopping = app.StopAsync(InTime);
            await app.LoggedAsync("Application is shutting down");
            crash.ReleaseValidation();
            Assert.True(await stopping, app.Output);
        }

        Assert.Null(Assert.Single(crash.Fixture.Authority.Validations).Problem);
        await using var second = crash.Start();
        await second.ListeningAsync();
        await second.ValidAsync(Name);
        Assert.Equal(1, crash.Orders);
        await crash.AssertSettledAsync(second);
    }

    [Fact]
    public async Task Stop_ValidationStuck_EndsInTimeAndTheOrderIsResumed()
    {
        await using var crash = await CrashCase.CreateAsync();
        crash.Fixture.Authority.Faults.ValidationStuck = true;
        await using (var app = crash.Start())
        {
            await PostedAsync(crash.Fixture);
            Assert.True(await app.StopAsync(InTime), app.Output);
            Assert.DoesNotContain("fail:", app.Output, StringComparison.Ordinal);
        }

        await using var second = crash.Start();
        await second.ListeningAsync();
        crash.ReleaseValidation();
        await second.ValidAsync(Name);
        Assert.Equal(1, crash.Orders);
        await crash.AssertSettledAsync(second);
    }

    [Fact]
    public async Task Stop_AuthorityUnreachable_DoesNotWaitForIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Directory, Fault.NoAnswer, int.MaxValue);
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name));
        await Poll.UntilAsync(() => app.Log.Has("OrderStarted"), "the order", cancellationToken: Cancelled);

        await StopsQuicklyAsync(app);
    }

    [Fact]
    public async Task Stop_RenewalInfoUnanswered_DoesNotWaitForIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.RenewalInformation, Fault.NoAnswer, int.MaxValue);
        await using var app = await fixture.ServeAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("CertificateObtained"), "the certificate", cancellationToken: Cancelled);

        await StopsQuicklyAsync(app);
    }

    [Fact]
    public async Task Stop_RenewalsAskedFor_AllAreAnswered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(Name);
        fixture.Authority.Faults.Inject(ResourceKind.Directory, Fault.NoAnswer, int.MaxValue);

        var stopping = app.StopAsync(Cancelled);
        var asked = Enumerable.Range(0, 20).Select(_ => Task.Run(() => app.Certificates.RenewAsync(Name, Cancelled), Cancelled)).ToList();
        await stopping;
        var late = app.Certificates.RenewAsync(Name, Cancelled);

        await Task.WhenAll([.. asked, late])
            .WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled)
            .ContinueWith(_ => { }, Cancelled, TaskContinuationOptions.None, TaskScheduler.Default);
        Assert.All([.. asked, late], task => Assert.True(task.IsCompleted));
    }

    [Fact]
    public async Task Stop_RenewalWaitsForAFreeSlot_IsMadeAtTheNextStart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name, Other);
        settings["AcmeHttps:MaxConcurrentOrders"] = "1";
        await using (var app = await fixture.ServeAsync(settings))
        {
            fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.NoAnswer, int.MaxValue);
            var started = app.Log.Lines.Count(line => line.Event.Name == "OrderStarted");
            var renewing = app.Certificates.RenewAsync(Name, Cancelled);
            await Poll.UntilAsync(
                () => app.Log.Lines.Count(line => line.Event.Name == "OrderStarted") > started, "the order", cancellationToken: Cancelled);
            var waiting = app.Certificates.RenewAsync(Other, Cancelled);
            await Poll.UntilAsync(() => !waiting.IsCompleted && HasRequest(app, Other), "the request", cancellationToken: Cancelled);

            await app.StopAsync(Cancelled);

            Assert.NotNull(await Record.ExceptionAsync(() => renewing));
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
            Assert.Contains("made at the next start", exception.Message, StringComparison.Ordinal);
        }

        fixture.Authority.Faults.Clear();
        await using var second = await fixture.StartAppAsync(fixture.Settings(Name, Other), configure: QuickIssuance.Apply);
        await Poll.UntilAsync(
            () => fixture.Authority.Issued.Count(issued => issued.Identifiers.Contains(Other)) == 2,
            () => $"the renewal\n{second.Log}",
            cancellationToken: Cancelled);
    }

    private static bool HasRequest(AcmeApp app, string name)
        => app.Services.GetRequiredService<CertificateCatalog>().Find(name)!.Request is { IsForced: true };

    private static Task PostedAsync(LocalFixture fixture)
        => Poll.UntilAsync(() => fixture.PostedChallenges > 0, "the posted challenge", cancellationToken: Cancelled);

    private static async Task StopsQuicklyAsync(AcmeApp app)
    {
        var clock = Stopwatch.StartNew();
        await app.StopAsync(Cancelled);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"The stop took {clock.Elapsed.TotalSeconds:0.0} s.\n{app.Log}");
        Assert.Empty(app.Log.At(LogLevel.Error));
    }
}
