using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificateWorkerTests : IAsyncDisposable
{
    private const string Name = "app.test";

    private readonly EngineParts _parts = new([Name]);

    public CertificateWorkerTests() => _parts.Manage();

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

        Assert.Equal((WorkLane.Renewals, served.NotBefore.AddDays(60)), (plan!.Value.Lane, plan.Value.Due));
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_BecameWorkOfAnotherLane_PlansItThereAndDoesNothing()
    {
        var plan = await WorkAsync(WorkLane.Maintenance);

        Assert.Equal(WorkLane.NewOrders, plan!.Value.Lane);
        Assert.True(plan.Value.Due <= Now);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_NotReadFromTheStore_WaitsForTheStore()
    {
        Certificate.IsLoaded = false;
        _parts.Catalog.HasUnread = true;

        var plan = await WorkAsync(WorkLane.NewOrders);

        Assert.Equal(Now + _parts.Get<IssuanceSettings>().LeasePoll, plan!.Value.Due);
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
        Assert.Equal(Now.AddHours(3), plan!.Value.Due);
        Assert.Equal(0, _parts.Clients.Asked);
    }

    [Fact]
    public async Task WorkAsync_Defect_AnswersAndTriesAgainInTenMinutes()
    {
        var request = Certificate.Ask(force: true);

        var plan = await WorkAsync(WorkLane.NewOrders);

        await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Equal((WorkLane.Maintenance, Now.AddMinutes(10)), (plan!.Value.Lane, plan.Value.Due));
        Assert.Equal(1, _parts.Clients.Asked);
        Assert.True(_parts.Log.Has("WorkFailed"));
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private Task<PlannedWork?> WorkAsync(WorkLane lane, string id = Name)
        => _parts.Get<CertificateWorker>().WorkAsync(id, lane, CancellationToken.None, CancellationToken.None);
}
