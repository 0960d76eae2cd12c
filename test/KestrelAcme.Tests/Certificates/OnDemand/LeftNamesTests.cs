using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd.OnDemand;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Certificates.OnDemand;

/// <summary>A name on demand that is denied, or that nobody comes for, is left to expire: that is nobody's problem.</summary>
public sealed class LeftNamesTests : IAsyncDisposable
{
    private readonly TestPermission _permission = TestPermission.AllowAll();
    private readonly EngineParts _parts;

    public LeftNamesTests()
    {
        _parts = new EngineParts([], acme: https => https.AddOnDemand(_permission.AskAsync));

        // Zero stands for no visit.
        _parts.Time.Advance(TimeSpan.FromMinutes(1));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private OnDemandIssuance Issuance => _parts.Get<OnDemandIssuance>();

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact]
    public async Task Look_NameIsAllowedAndVisited_HasTheProblemsOfAllOthers()
    {
        var (name, _) = await ServeAsync();

        _parts.Time.Advance(TimeSpan.FromDays(65));
        name.Visit(_parts.Time.GetTimestamp());
        Assert.Equal(CertificateProblems.Overdue, Look().Problems);

        _parts.Time.Advance(TimeSpan.FromDays(35));
        Assert.True(Look().Problems.HasFlag(CertificateProblems.Expired));
    }

    [Fact]
    public async Task Look_NameIsDenied_HasNoProblem()
    {
        var (name, _) = await ServeAsync();
        _permission.Decide = static _ => IssuanceDecision.Deny();
        await Issuance.CheckAsync(name, Cancelled);

        _parts.Time.Advance(TimeSpan.FromDays(50));
        name.Visit(_parts.Time.GetTimestamp());
        _parts.Time.Advance(TimeSpan.FromDays(50));

        Assert.Equal(CertificateProblems.None, Look().Problems);
        Assert.True(Look().Certificate.IsLeftToExpire(_parts.Time.GetUtcNow()));
    }

    [Fact]
    public async Task Look_NobodyComes_HasNoProblem()
    {
        await ServeAsync();

        _parts.Time.Advance(TimeSpan.FromDays(100));

        Assert.Equal(CertificateProblems.None, Look().Problems);
        Assert.Null(Look().Renewal);
        Assert.Null(Assert.Single(_parts.Get<ICertificateManager>().List()).NextOrder);
    }

    [Fact]
    public async Task Permission_NobodyCameForLongWhileTheAppRan_IsNotAskedAndNothingIsOrdered()
    {
        var (name, certificate) = await ServeAsync();
        name.Visit(_parts.Time.GetTimestamp());
        _parts.Time.Advance(TimeSpan.FromDays(59));
        Assert.Null(await certificate.Permission!(certificate, Cancelled));

        _parts.Time.Advance(TimeSpan.FromDays(2));

        Assert.NotNull(await certificate.Permission!(certificate, Cancelled));
        Assert.Single(_permission.Asked);
    }

    [Fact]
    public async Task DescribeMissing_NameOnDemandWithoutCertificate_DoesNotHoldUpTheStart()
    {
        var (_, certificate) = await TakeUpAsync();

        Assert.Null(certificate.Current);
        Assert.Empty(_parts.Get<CertificateReconciler>().DescribeMissing(_parts.Time.GetUtcNow()));
        certificate.IsLoaded = false;
        Assert.Empty(_parts.Get<CertificateReconciler>().DescribeMissing(_parts.Time.GetUtcNow()));
        Assert.False(_parts.Get<CertificateReconciler>().IsAnyMissing);
    }

    /// <summary>Its certificate expired while nobody came. The next check of its permission may be hours away.</summary>
    [Fact]
    public async Task Sweep_SomebodyComesAgain_IsOrderedNow()
    {
        var (name, certificate) = await ServeAsync();
        _parts.Time.Advance(TimeSpan.FromDays(100));
        var now = _parts.Time.GetUtcNow();
        var scheduler = _parts.Get<CertificateScheduler>();
        scheduler.Schedule(certificate.Id, CertificatePlans.At(now.AddHours(6), certificate));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var due = new TaskCompletionSource<WorkLane>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = scheduler.RunAsync(
            (_, lane) =>
            {
                due.TrySetResult(lane);
                return Task.FromResult<PlannedWork?>(null);
            },
            static () => { },
            stop.Token);
        await _parts.Get<OnDemandLife>().SweepAsync(Cancelled);
        Assert.False(due.Task.IsCompleted);

        name.Visit(_parts.Time.GetTimestamp());
        await _parts.Get<OnDemandLife>().SweepAsync(Cancelled);

        Assert.Equal(WorkLane.Renewals, await due.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancelled));
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Another instance deletes the record of a name that it forgets. A damaged one is none of its doing.</summary>
    [Fact]
    public async Task Follow_RecordIsDamaged_NameIsKept()
    {
        var (name, _) = await ServeAsync();
        var names = _parts.Get<OnDemandNames>();
        var now = _parts.Time.GetUtcNow();
        var forgotten = new OnDemandRecord { Name = "gone.test", FirstAsked = now, LastAsked = now };
        Assert.NotNull(Issuance.TakeUp(forgotten, Cancelled).Name);
        await names.MarkAsync(Cancelled);
        await names.Storage.WriteAsync(OnDemandNames.KeyOf("shop.test"), "?"u8.ToArray(), lease: null, Cancelled);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = _parts.Get<OnDemandUpkeep>().RunAsync(stop.Token);

        await Poll.UntilAsync(
            () =>
            {
                _parts.Time.Advance(TimeSpan.FromSeconds(1));
                return names.Find("gone.test") is null;
            },
            "the other name is forgotten",
            cancellationToken: Cancelled);

        await stop.CancelAsync();
        await Task.WhenAny(running);
        Assert.Same(name, names.Find("shop.test"));
    }

    private CertificateCondition Look() => Assert.Single(_parts.Get<CertificateOverview>().Look());

    private async Task<(OnDemandName Name, ManagedCertificate Certificate)> ServeAsync()
    {
        var taken = await TakeUpAsync();
        _parts.Serve("shop.test");
        return taken;
    }

    private async Task<(OnDemandName Name, ManagedCertificate Certificate)> TakeUpAsync()
    {
        var now = _parts.Time.GetUtcNow();
        var name = Issuance.TakeUp(new OnDemandRecord { Name = "shop.test", FirstAsked = now, LastAsked = now }, Cancelled).Name!;
        var certificate = _parts.Catalog.Find("shop.test")!;
        await Poll.UntilAsync(() => certificate.IsLoaded, "the empty store is read", cancellationToken: Cancelled);
        return (name, certificate);
    }
}
