using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Orders;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificatePlannerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly IssuanceStatus _issuance = new() { ReasonNotToOrder = null };
    private readonly ManagedCertificate _certificate = new(SampleCertificates.Specification("a.test")) { IsLoaded = true };
    private readonly CertificatePlanner _planner;

    public CertificatePlannerTests() => _planner = new CertificatePlanner(
        _issuance,
        new ConfigurationSource(() => SampleCertificates.Configuration, NullLogger<ConfigurationSource>.Instance),
        SampleTurns.Orders(),
        new IssuanceSettings(),
        _time,
        NullLogger<CertificatePlanner>.Instance);

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public void Plan_Missing_IsANewOrderNow() => Assert.Equal((WorkLane.NewOrders, Now), (Plan().Lane, Plan().Due));

    [Fact]
    public void Plan_OrdersNothing_IsNull()
    {
        _issuance.ReasonNotToOrder = "it serves only";

        Assert.Null(_planner.Plan(_certificate, Now));
    }

    [Fact]
    public void Plan_TheLastCertificatesCouldNotBeStored_WaitsLongerEachTime()
    {
        var waits = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            _certificate.Unstored = UnstoredOrders.Next(_certificate.Unstored, TimeSpan.FromMinutes(1), Now);
            waits.Add((Plan().Due - Now).TotalMinutes);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440], waits);
    }

    [Fact]
    public void Plan_TheLastCertificateCouldNotBeStoredAndAPersonAsks_IsNow()
    {
        _certificate.Unstored = UnstoredOrders.Next(null, TimeSpan.FromMinutes(1), Now);
        _certificate.Ask(force: true);

        Assert.Equal(Now, Plan().Due);
    }

    [Fact]
    public void Plan_BlockedForARecord_LooksAtOnceAndThenLessAndLess()
    {
        Block(new RequiredDnsRecord("a.test", "CAA", "0 issue \"ca.test\""), null);
        var waits = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            waits.Add((Plan().Due - Now).TotalMinutes);
            Assert.Equal(WorkLane.Maintenance, Plan().Lane);
            Assert.Equal(CertificateAction.LookAtRecords, Plan().Action);
            _certificate.Looks = RecordLooks.Next(_certificate.Looks, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Now);
        }

        Assert.Equal([0, 1, 2, 4, 8, 16, 32, 60, 60], waits);
    }

    [Fact]
    public void Plan_BlockedForCaaInTheAuthoritysWords_LooksAtDns()
    {
        Block(null, AcmeProblemTypes.Caa);

        Assert.Equal(WorkLane.Maintenance, Plan().Lane);
    }

    [Fact]
    public void Plan_BlockedForWhatDnsDoesNotShow_WaitsForItsDay()
    {
        Block(null, AcmeProblemTypes.UserActionRequired);

        Assert.Equal((WorkLane.NewOrders, Now.AddDays(1)), (Plan().Lane, Plan().Due));
    }

    [Theory]
    [InlineData(FailureCause.Name, false, true)]
    [InlineData(FailureCause.Local, false, true)]
    [InlineData(FailureCause.Authority, false, true)]
    [InlineData(FailureCause.Authority, true, false)]
    public void Plan_Failed_IsSuspectUnlessTheAuthorityFailsAllNamesAlike(FailureCause cause, bool outage, bool failing)
    {
        _certificate.State = _certificate.State with
        {
            Failure = new FailureRecord { Message = "no", At = Now, NextAttempt = Now.AddMinutes(1), Cause = cause, WasOutage = outage },
        };

        Assert.Equal(failing, Plan().IsFailing);
        _certificate.Ask(force: true);
        Assert.False(Plan().IsFailing);
    }

    [Fact]
    public void Status_RenewalIsHeldBack_SaysUntilWhen()
    {
        var current = SampleCertificates.Snapshot("a.test", Now.AddMinutes(-30), Now.AddDays(90));
        _certificate.Current = current;
        _certificate.State = _certificate.State with
        {
            State = CertificateState.Valid,
            Issued = [Now.AddHours(-1), Now.AddMinutes(-30)],
            RenewalInfo = new RenewalInfoRecord
            {
                SerialNumber = current.SerialNumber,
                ChosenInstant = Now.AddDays(-1),
                NextPoll = Now.AddHours(6),
            },
        };

        var status = CertificateStatuses.Create(_certificate, orders: true, Now);

        Assert.Equal(Now.AddMinutes(30), status.HeldBackUntil);
        Assert.Equal(status.HeldBackUntil, status.NextOrder);
    }

    [Fact]
    public void ThrowIfTooManyFailed_CertificatesShareAName_CountsThemTogether()
    {
        var catalog = new CertificateCatalog(new RecordingPublisher());
        var others = SampleCertificates.Specification("b.test") with
        {
            Identifiers = [new(IdentifierKind.Dns, "b.test"), new(IdentifierKind.Dns, "a.test")],
        };
        catalog.Apply(
            [SampleCertificates.Specification("a.test"), others, SampleCertificates.Specification("c.test")],
            SampleCertificates.Configuration);
        foreach (var certificate in catalog.All)
        {
            certificate.State = certificate.State with { FailedValidations = [Now.AddMinutes(-3), Now.AddMinutes(-2), Now.AddMinutes(-1)] };
        }

        var limits = new OrderLimits(catalog, Pace(), _time);
        var ca = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "A CA",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            IsPublic = true,
        };

        Assert.Throws<KestrelAcme.Certificates.Failures.ValidationLimitException>(
            () => limits.ThrowIfTooManyFailed(catalog.Find("a.test")!, ca));
        limits.ThrowIfTooManyFailed(catalog.Find("c.test")!, ca);
        limits.ThrowIfTooManyFailed(catalog.Find("a.test")!, ca with { IsPublic = false });
        _time.Advance(TimeSpan.FromMinutes(58));
        limits.ThrowIfTooManyFailed(catalog.Find("a.test")!, ca);
    }

    private NewOrderRateLimiterStore Pace()
    {
        var configuration = new ConfigurationSource(() => SampleCertificates.Configuration, NullLogger<ConfigurationSource>.Instance);
        return new NewOrderRateLimiterStore(
            new NewOrderRateLimiter(configuration, new IssuanceSettings()),
            BoundedFixture.Around(new InMemoryStorage(_time)),
            new IssuanceSettings(),
            _time,
            NullLogger<NewOrderRateLimiterStore>.Instance);
    }

    private PlannedWork Plan() => _planner.Plan(_certificate, Now)!;

    private void Block(RequiredDnsRecord? record, string? problem) => _certificate.State = _certificate.State with
    {
        State = CertificateState.Blocked,
        Failure = new FailureRecord
        {
            Message = "no",
            At = Now,
            NextAttempt = Now.AddDays(1),
            Cause = FailureCause.Operator,
            ProblemType = problem,
            RequiredRecords = record is null ? [] : [record],
        },
    };
}
