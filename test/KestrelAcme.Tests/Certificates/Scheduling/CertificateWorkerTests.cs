using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Certificates.Orders;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificateWorkerTests : IAsyncDisposable
{
    private const string Name = "app.test";

    private readonly EngineParts _parts = new([Name]);

    public CertificateWorkerTests() => _parts.Manage();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ManagedCertificate Certificate => _parts.Catalog.Find(Name)!;

    private DateTimeOffset Now => _parts.Time.GetUtcNow();

    [Fact]
    public async Task WorkAsync_UnknownCertificate_PlansNothing() => Assert.Null(await WorkAsync(WorkLane.NewOrders, "other.test"));

    [Fact]
    public async Task WorkAsync_Stopping_PlansNothing()
    {
        var worker = _parts.Get<CertificateWorker>();

        Assert.Null(await worker.WorkAsync(Name, WorkLane.NewOrders, new CancellationToken(canceled: true), CancellationToken.None));
    }

    [Fact]
    public async Task WorkAsync_RenewalNotDue_PlansItForItsTime()
    {
        var served = _parts.Serve(Name);

        var plan = await WorkAsync(WorkLane.Renewals);

        Assert.Equal((WorkLane.Renewals, served.NotBefore.AddDays(60)), (plan!.Lane, plan.Due));
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_BecameWorkOfAnotherLane_PlansItThereAndDoesNothing()
    {
        var plan = await WorkAsync(WorkLane.Maintenance);

        Assert.Equal(WorkLane.NewOrders, plan!.Lane);
        Assert.True(plan.Due <= Now);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_NotReadFromTheStore_WaitsForTheStore()
    {
        Certificate.IsLoaded = false;
        _parts.Catalog.HasUnread = true;

        var plan = await WorkAsync(WorkLane.NewOrders);

        Assert.Equal(Now + _parts.Get<IssuanceSettings>().LeasePoll, plan!.Due);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_InstanceOrdersNothing_AnswersWithTheReason()
    {
        _parts.Get<IssuanceStatus>().ReasonNotToOrder = "It serves only.";
        var request = Certificate.Ask(force: true);

        await WorkAsync(WorkLane.NewOrders);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Equal("It serves only.", exception.Message);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_CertificateAskedForAndThere_IsAnsweredWithoutAnOrder()
    {
        _parts.Serve(Name);
        var request = Certificate.Ask(force: false);

        await WorkAsync(WorkLane.Renewals);

        Assert.True(request.Outcome.IsCompletedSuccessfully);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_CertificateAskedForDuringBackOff_IsAnsweredWithTheFailure()
    {
        Certificate.State = new CertificateStateRecord
        {
            State = CertificateState.Waiting,
            Failure = new FailureRecord { Message = "It failed.", At = Now, NextAttempt = Now.AddHours(3), Cause = FailureCause.Name },
        };
        var request = Certificate.Ask(force: false);

        var plan = await WorkAsync(WorkLane.NewOrders);

        var exception = await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        Assert.Equal("It failed.", exception.Failure.Message);
        Assert.Equal(Now.AddHours(3), plan!.Due);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_VisitorComesWhileOthersAreWaitedFor_IsNotAnsweredAndDecidedAnew()
    {
        RenewalRequest? visitor = null;
        var later = Now.AddMinutes(1);
        var added = _parts.Catalog.AddOnDemand(
            [SampleCertificates.Specification("demand.test") with { IsOnDemand = true }],
            (certificate, _) =>
            {
                visitor ??= certificate.Ask(force: false);
                return Task.FromResult<DateTimeOffset?>(later);
            },
            _parts.Get<ConfigurationSource>().Current);
        Assert.Single(added).IsLoaded = true;

        var plan = await WorkAsync(WorkLane.OnDemand, "demand.test");
        Assert.False(visitor!.Outcome.IsCompleted);
        Assert.Equal(Now, plan!.Due);

        // Nobody came meanwhile: this decision is the answer.
        plan = await WorkAsync(WorkLane.OnDemand, "demand.test");
        await Assert.ThrowsAsync<InvalidOperationException>(() => visitor.Outcome);
        Assert.Equal(later, plan!.Due);
    }

    [Fact]
    public async Task WorkAsync_Defect_AnswersAndTriesAgainInTenMinutes()
    {
        var request = Certificate.Ask(force: true);

        var plan = await WorkAsync(WorkLane.NewOrders);

        await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Equal((WorkLane.Maintenance, Now.AddMinutes(10)), (plan!.Lane, plan.Due));
        Assert.Equal(1, _parts.Clients.Asked);
        Assert.True(_parts.Log.Has("WorkFailed"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WorkAsync_RenewalRefusedBeforeTheOrder_IsOrderedOnceTheAuthorityIsAskedAgain(bool isBlocked)
    {
        _parts.Serve(Name);
        await StoreStateAsync();
        var authority = await RefuseAsync(isBlocked);
        var request = Certificate.Ask(force: true);

        var plan = await WorkAsync(WorkLane.Renewals);

        await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        Assert.Equal(CertificateState.RenewalDue, Certificate.State.State);
        Assert.False(_parts.Log.Has("OrderStarted"));

        _parts.Time.Advance(plan!.Due - Now);
        authority.Blocks.Forget();
        await WorkAsync(WorkLane.Renewals);

        Assert.True(_parts.Log.Has("OrderStarted"), $"{_parts.Log}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WorkAsync_RenewalRefusedBeforeTheOrder_IsStoredForTheNextStart(bool isBlocked)
    {
        _parts.Serve(Name);
        await StoreStateAsync();
        await RefuseAsync(isBlocked);
        var request = Certificate.Ask(force: true);

        await WorkAsync(WorkLane.Renewals);

        await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        var stored = await _parts.Get<CertificateStore>().ReadStateAsync(Name, Cancelled);
        Assert.Equal(CertificateState.RenewalDue, stored!.State);
    }

    [Fact]
    public async Task WorkAsync_RenewalRefusedWhileAnotherInstanceHoldsTheLease_IsOrderedLater()
    {
        _parts.Serve(Name);
        await StoreStateAsync();
        var authority = await RefuseAsync(isBlocked: true);
        var request = Certificate.Ask(force: true);
        await using (await _parts.Get<CertificateLeases>().OpenAsync(Certificate, Cancelled))
        {
            await WorkAsync(WorkLane.Renewals);
        }

        await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        authority.Blocks.Forget();
        await WorkAsync(WorkLane.Renewals);

        Assert.True(_parts.Log.Has("OrderStarted"), $"{_parts.Log}");
    }

    /// <summary>The CA's stand-in knows no accounts, which counts as a failure of this machine.</summary>
    [Fact]
    public async Task WorkAsync_RenewalAskedForFailsHere_IsTriedUntilItIsMade()
    {
        _parts.Serve(Name);
        await StoreStateAsync();
        _parts.Clients.Make = static specification => new DirectoryOnlyClient(specification, []);
        var request = Certificate.Ask(force: true);

        var plan = await WorkAsync(WorkLane.Renewals);

        await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        for (var attempts = 2; attempts <= 4; attempts++)
        {
            Assert.Equal(FailureCause.Local, Certificate.State.Failure!.Cause);
            Assert.Equal((WorkLane.Renewals, Certificate.State.Failure.NextAttempt), (plan!.Lane, plan.Due));
            _parts.Time.Advance(plan.Due - Now);
            plan = await WorkAsync(WorkLane.Renewals);
            Assert.Equal(attempts, _parts.Log.Lines.Count(line => line.Event.Name == "OrderStarted"));
        }

        var stored = await _parts.Get<CertificateStore>().ReadStateAsync(Name, Cancelled);
        Assert.True(stored!.IsUnfinished);
    }

    [Fact]
    public async Task WorkAsync_RenewalAskedForCannotTakeTheLease_IsTriedAgain()
    {
        await using var parts = new EngineParts([Name], new FailingStorage(new InMemoryStorage()) { Unwritable = static _ => true });
        parts.Manage();
        parts.Serve(Name);
        parts.Clients.Make = static specification => new DirectoryOnlyClient(specification, []);
        var request = parts.Catalog.Find(Name)!.Ask(force: true);

        var plan = await parts.Get<CertificateWorker>().WorkAsync(Name, WorkLane.Renewals, CancellationToken.None, CancellationToken.None);

        await Assert.ThrowsAsync<CertificateException>(() => request.Outcome);
        Assert.True(plan!.Due < Now.AddDays(1), $"It is planned for {plan.Due:u}.");
    }

    /// <summary>A renewal that the CA failed was begun; that this machine fails next does not finish it.</summary>
    [Fact]
    public async Task WorkAsync_RenewalFailedAtTheAuthorityAndThenHere_IsTriedAgain()
    {
        _parts.Serve(Name);
        Certificate.State = Certificate.State with
        {
            State = CertificateState.Waiting,
            Failure = new FailureRecord { Message = "503", At = Now.AddHours(-1), NextAttempt = Now, Cause = FailureCause.Authority },
        };
        await StoreStateAsync();
        _parts.Clients.Make = static specification => new DirectoryOnlyClient(specification, []);

        var plan = await WorkAsync(WorkLane.Renewals);

        Assert.True(_parts.Log.Has("OrderStarted"), $"{_parts.Log}");
        Assert.Equal(Certificate.State.Failure!.NextAttempt, plan!.Due);
    }

    [Fact]
    public void AnswerUnlessForced_ForcedSinceItWasLookedAt_KeepsWaiting()
    {
        var request = Certificate.Ask(force: false);
        Certificate.Ask(force: true);

        Assert.False(Certificate.AnswerUnlessForced(failure: null));

        Assert.False(request.Outcome.IsCompleted);
        Assert.Same(request, Certificate.Request);
    }

    [Fact]
    public async Task PutBack_ForcedOneBesideANewerOne_TheNewerOneIsForced()
    {
        var forced = Certificate.Ask(force: true);
        Certificate.TakeRequest();
        var newer = Certificate.Ask(force: false);

        Certificate.PutBack(forced);

        Assert.Same(newer, Certificate.Request);
        Assert.True(newer.IsForced);
        Certificate.Answer(failure: null);
        await forced.Outcome;
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private async Task StoreStateAsync()
    {
        await using var writer = await _parts.Get<CertificateLeases>().OpenAsync(Certificate, Cancelled);
        await writer.ChangeAsync(static state => state, Cancelled);
    }

    private async Task<CertificateAuthority> RefuseAsync(bool isBlocked)
    {
        _parts.Clients.Make = static specification => new DirectoryOnlyClient(specification, []);
        var authority = _parts.Get<AuthorityRegistry>().Get(_parts.Get<ConfigurationSource>().Current.Authorities[0]);
        if (isBlocked)
        {
            await authority.Blocks.BlockAsync(profile: null, "The account is deactivated.", default, Cancelled);
        }
        else
        {
            authority.Health.OpenFor(Now.AddMinutes(10), Now);
        }

        return authority;
    }

    private Task<PlannedWork?> WorkAsync(WorkLane lane, string id = Name)
        => _parts.Get<CertificateWorker>().WorkAsync(id, lane, CancellationToken.None, CancellationToken.None);
}
