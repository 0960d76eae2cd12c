using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>When the instances of a fleet renew what is due, and how often they look at what another one renews.</summary>
public sealed class OrderTurnsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ManagedCertificate _certificate = new(SampleCertificates.Specification("a.test")) { IsLoaded = true };
    private readonly Replicas _replicas;
    private readonly CertificatePlanner _planner;

    public OrderTurnsTests()
    {
        _replicas = new Replicas(BoundedFixture.Around(new InMemoryStorage(_time)), _time, NullLogger<Replicas>.Instance);
        _planner = new CertificatePlanner(
            new IssuanceStatus { ReasonNotToOrder = null },
            new ConfigurationSource(() => SampleCertificates.Configuration, NullLogger<ConfigurationSource>.Instance),
            new OrderTurns(_replicas, new IssuanceSettings()),
            new IssuanceSettings(),
            _time,
            NullLogger<CertificatePlanner>.Instance);
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public void Plan_DueRenewal_IsAtOnceForOneAndLaterForTheOthers()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        var due = Plan().Due;
        Assert.True(due <= Now);

        var waits = Enumerable.Range(0, 50).Select(i =>
        {
            Meet($"self{i}", Enumerable.Range(0, 50).Where(other => other != i).Select(other => $"self{other}"));
            return (Plan().Due - Now).TotalMinutes;
        }).Order().ToList();

        // One after the other, and the rest after 20 minutes, not at the same moment.
        Assert.True(waits[0] <= 0);
        Assert.Equal([2, 4, 6, 8, 10, 12, 14, 16, 18], waits[1..10]);
        Assert.All(waits[10..], wait => Assert.InRange(wait, 20, 22));
        Assert.Equal(40, waits[10..].Distinct().Count());
    }

    [Fact]
    public void Plan_RenewalPlannedAgain_KeepsItsTurn()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        MeetUntil(before: 3);
        var due = Plan().Due;

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(due, Plan().Due);
    }

    [Fact]
    public void Plan_TheOthersHaveGone_IsDueAtOnce()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        MeetUntil(before: 3);
        Assert.True(Plan().Due > Now);
        Meet("self", []);

        Assert.True(Plan().Due <= Now);
    }

    [Fact]
    public void Plan_TheAttemptOfTheFirstFailed_AnotherGoesFirst()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        MeetUntil(before: 0);
        Assert.True(Plan().Due <= Now);

        _certificate.FailedHere = true;

        Assert.True(Plan().Due > Now);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Plan_MissingOrRevoked_WaitsForNobody(bool isRevoked)
    {
        if (isRevoked)
        {
            Serve(Now.AddDays(-1), Now.AddDays(89));
            _certificate.State = new CertificateStateRecord
            {
                Revocation = new RevocationRecord(_certificate.Current!.SerialNumber, Now, OnPurpose: false, default),
            };
        }

        MeetUntil(before: 3);

        Assert.True(Plan().Due <= Now);
    }

    [Fact]
    public void Plan_Request_WaitsForNobody()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        MeetUntil(before: 3);
        _certificate.Ask(force: true);

        Assert.Equal(Now, Plan().Due);
    }

    [Fact]
    public void Plan_LittleLifeLeft_AllTurnsTakeAQuarterOfIt()
    {
        Serve(Now.AddHours(-3), Now.AddMinutes(48));
        MeetUntil(before: 3);

        Assert.Equal(3, (Plan().Due - Now).TotalMinutes, tolerance: 0.01);
    }

    [Fact]
    public void PlanAfterOther__TheFirstLooksSoonAndTheOthersLessOften()
    {
        Serve(Now.AddDays(-60), Now.AddDays(30));
        MeetUntil(before: 0);
        Assert.Equal(2, Seconds());
        MeetUntil(before: 3);
        Assert.Equal(120, Seconds());
        _certificate.Current = null;
        Assert.Equal(8, Seconds());
        _certificate.Ask(force: false);
        Assert.Equal(2, Seconds());

        double Seconds() => (_planner.PlanAfterOther(_certificate).Due - Now).TotalSeconds;
    }

    private PlannedWork Plan() => _planner.Plan(_certificate, Now)!;

    private void Serve(DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        _certificate.Current = SampleCertificates.Snapshot("a.test", notBefore, notAfter);
        _certificate.State = new CertificateStateRecord { State = CertificateState.Valid };
    }

    private void Meet(string self, IEnumerable<string> others) => _replicas.Places.Note(self, others);

    private void MeetUntil(int before)
    {
        for (var i = 0; i < 1000; i++)
        {
            Meet($"self{i}", ["one", "two", "three"]);
            if (_replicas.Places.Of(_certificate.Id).Before == before)
            {
                return;
            }
        }

        Assert.Fail($"No instance of a thousand comes after {before} others.");
    }
}
