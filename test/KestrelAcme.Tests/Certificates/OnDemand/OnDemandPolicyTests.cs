using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.OnDemand;

/// <summary>The decisions about names on demand that need neither a store nor a client.</summary>
public sealed class OnDemandPolicyTests
{
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromDays(60);
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 10, 20, 30, TimeSpan.Zero);

    [Theory]
    [InlineData(200, "allowed")]
    [InlineData(204, "allowed")]
    [InlineData(400, "denied")]
    [InlineData(403, "denied")]
    [InlineData(404, "denied")]
    [InlineData(410, "denied")]
    [InlineData(302, "unknown")]
    [InlineData(401, "unknown")]
    [InlineData(407, "unknown")]
    [InlineData(408, "unknown")]
    [InlineData(429, "unknown")]
    [InlineData(500, "unknown")]
    [InlineData(502, "unknown")]
    [InlineData(503, "unknown")]
    public void Decide_Status_DeniesOnlyIfItIsAboutTheName(int status, string decision)
        => Assert.Equal(decision, HttpPermission.Decide(status).ToString());

    [Fact]
    public void Learn_DecisionsOfOtherInstances_CountUnlessOneWasMadeHereJustNow()
    {
        var time = new FakeTimeProvider(Start);
        time.Advance(TimeSpan.FromMinutes(1));
        var name = Name(Record("shop.test"));
        name.Note(IssuanceDecision.Allow(), time.GetTimestamp());

        name.Learn(name.Record with { DeniedAt = Start }, time);
        Assert.True(name is { IsDenied: true, IsNoted: true });
        Assert.False(name.IsAllowedWithin(TimeSpan.FromHours(1), time));

        // Another instance changed the record as it was before.
        name.Note(IssuanceDecision.Deny(), time.GetTimestamp());
        name.Learn(name.Record with { DeniedAt = null }, time);
        Assert.True(name is { IsDenied: true, IsNoted: false });

        time.Advance(TimeSpan.FromMinutes(2));
        name.Learn(name.Record with { DeniedAt = Start }, time);
        name.Learn(name.Record with { DeniedAt = null }, time);
        Assert.True(name is { IsDenied: false, IsNoted: true });
    }

    [Fact]
    public void Learn_AllowedNamesOfOtherInstances_AreKeptBesideItsOwn()
    {
        var time = new FakeTimeProvider(Start);
        time.Advance(TimeSpan.FromMinutes(1));
        var name = Name(Record("shop.test"), "one.test", "two.test", "three.test");
        name.Note("one.test", IssuanceDecision.Allow(), time.GetTimestamp());
        name.Learn(name.Record with { AllowedNames = ["two.test"] }, time);
        Assert.Equal(["one.test", "two.test"], name.AllowedNames.Order());
        Assert.False(name.IsNoted);

        name.Stored(name.NotedIn(name.Record, visit: null, Start));
        name.Learn(name.Record with { AllowedNames = ["one.test", "two.test"] }, time);
        Assert.True(name.IsNoted);

        time.Advance(TimeSpan.FromMinutes(2));
        name.Learn(name.Record with { AllowedNames = ["three.test", "two.test"] }, time);
        Assert.Equal(["three.test", "two.test"], name.AllowedNames.Order());
        Assert.True(name.IsNoted);
    }

    [Fact]
    public void Mark_ClockIsAheadForAWhile_NothingIsForgotten()
    {
        var record = Record("shop.test");
        var ahead = Start.AddYears(1);
        for (var hour = 0; hour < 24; hour++)
        {
            record = Mark(record, ahead.AddHours(hour));
            Assert.False(QuietPolicy.MayGo(record, null, hasCertificate: true, ForgetAfter, ahead.AddHours(hour)));
        }

        record = Mark(record, Start.AddDays(1));
        Assert.Equal(0, record.Quiet!.Rounds);
    }

    [Fact]
    public void Mark_FourteenRounds_IsForgottenUnlessSomebodyVisits()
    {
        var record = Record("shop.test");
        var now = Start.AddDays(61);
        for (var day = 0; day < 14; day++, now = now.AddDays(1))
        {
            Assert.False(QuietPolicy.MayGo(record, null, hasCertificate: true, ForgetAfter, now));
            record = Mark(record, now);
        }

        Assert.True(QuietPolicy.MayGo(record, null, hasCertificate: true, ForgetAfter, now));
        Assert.False(QuietPolicy.MayGo(record, now.AddMinutes(-1), hasCertificate: true, ForgetAfter, now));
        Assert.Null(Name(record).NotedIn(record, now, now).Quiet);
    }

    [Fact]
    public void Note_StrangerBelowAWildcard_IsRefusedAlone()
    {
        var name = Name(Record("*.shop.test"));
        name.Note("one.shop.test", IssuanceDecision.Allow(), 1);
        name.Note("random.shop.test", IssuanceDecision.Deny(), 2);

        Assert.False(name.IsDenied);
        Assert.True(name.IsAllowedWithin(TimeSpan.MaxValue, TimeProvider.System));
        Assert.Equal(["one.shop.test"], name.AllowedNames);

        name.Note("one.shop.test", IssuanceDecision.Deny(), 3);
        Assert.Empty(name.AllowedNames);
    }

    [Fact]
    public void IsServedBy_OtherOrderOrPlainPermission_ChangesNothing()
    {
        var group = Name(Record("a.test") with { Names = ["a.test", "b.test"] }, "b.test");

        Assert.True(OnDemandSubject.IsServedBy(group, "a.test", Group("b.test", "a.test")));
        Assert.True(OnDemandSubject.IsServedBy(group, "b.test", null));
        Assert.True(OnDemandSubject.IsServedBy(group, "b.test", Group("b.test", "a.test")));
        Assert.False(OnDemandSubject.IsServedBy(group, "a.test", null));
        Assert.False(OnDemandSubject.IsServedBy(group, "b.test", Group("b.test", "c.test")));
    }

    [Fact]
    public void LimitsOf_SeveralStates_KeepsWhatStillCountsAndNothingElse()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        CertificateStateRecord[] states =
        [
            new()
            {
                State = CertificateState.Waiting,
                Issued = [now.AddDays(-8), now.AddDays(-2)],
                IssuedBy = ["https://a.test/", "https://b.test/"],
                FailedValidations = [now.AddMinutes(-1), now.AddMinutes(-1)],
                Failure = new FailureRecord { Message = "It failed.", At = now, NextAttempt = now.AddDays(1), Cause = FailureCause.Name },
            },
            new()
            {
                Issued = [now.AddDays(-1)],
                HeldUntil = new Dictionary<string, DateTimeOffset> { ["one"] = now.AddDays(-1), ["other"] = now.AddDays(1) },
            },
        ];

        var limits = CertificateStateRecord.LimitsOf(states, now)!;

        Assert.Equal([now.AddDays(-2), now.AddDays(-1)], limits.Issued!);
        Assert.Equal(["https://b.test/", ""], limits.IssuedBy!);
        Assert.Equal(2, limits.FailedValidations!.Length);
        Assert.Equal("other", Assert.Single(limits.HeldUntil!).Key);
        Assert.Null(limits.Failure);
        Assert.False(limits.IsUnfinished);
        Assert.Null(CertificateStateRecord.LimitsOf(states, now.AddDays(30)));
    }

    [Fact]
    public void RemoveOnDemand_ConfiguredMeanwhile_LeavesTheCertificate()
    {
        var catalog = new CertificateCatalog(new RecordingPublisher());
        var own = SampleCertificates.Specification("own.test") with { IsOnDemand = true };
        var specification = SampleCertificates.Specification("shop.test");
        catalog.AddOnDemand(
            [specification with { IsOnDemand = true }, own],
            static (_, _) => Task.FromResult<DateTimeOffset?>(null),
            SampleCertificates.Configuration);
        catalog.Apply([specification], SampleCertificates.Configuration);

        Assert.Equal(["own.test"], catalog.RemoveOnDemand(["shop.test", "own.test"]));
        Assert.NotNull(catalog.Find("shop.test"));
    }

    [Fact]
    public void Release_ForgottenMeanwhile_PublishesNothing()
    {
        var catalog = new CertificateCatalog(new RecordingPublisher());
        var certificate = Assert.Single(catalog.AddOnDemand(
            [SampleCertificates.Specification("shop.test") with { IsOnDemand = true }],
            static (_, _) => Task.FromResult<DateTimeOffset?>(null),
            SampleCertificates.Configuration));
        catalog.RemoveOnDemand(["shop.test"]);

        catalog.Release(certificate);

        Assert.True(certificate.IsWithheld);
    }

    [Fact]
    public void TryEnter_OneNetwork_LeavesPlacesToOthers()
    {
        var room = new WaitingRoom();
        for (var i = 0; i < 2; i++)
        {
            Assert.True(room.TryEnter("192.0.2.0/24", 500, most: 4, mostOfNetwork: 2));
        }

        Assert.False(room.TryEnter("192.0.2.0/24", 500, most: 4, mostOfNetwork: 2));
        Assert.True(room.TryEnter("198.51.100.0/24", 500, most: 4, mostOfNetwork: 2));
        Assert.True(room.TryEnter(null, 500, most: 4, mostOfNetwork: 2));
        Assert.False(room.TryEnter(null, 500, most: 4, mostOfNetwork: 2));

        room.Leave("192.0.2.0/24", 500);
        Assert.True(room.TryEnter("192.0.2.0/24", 500, most: 4, mostOfNetwork: 2));
    }

    [Fact]
    public void TryEnter_PaddedHellos_FillOnlyTheShareOfTheirNetwork()
    {
        var room = new WaitingRoom();
        var entered = Enumerable.Range(0, 100).Count(_ => room.TryEnter("192.0.2.0/24", 64 * 1024, most: 500, mostOfNetwork: 62));

        Assert.InRange(entered, 1, 8);
        Assert.True(room.TryEnter("198.51.100.0/24", 500, most: 500, mostOfNetwork: 62));
    }

    private static OnDemandRecord Mark(OnDemandRecord record, DateTimeOffset now)
        => record with { Quiet = QuietPolicy.Mark(record, null, hasCertificate: true, ForgetAfter, now) };

    private static OnDemandRecord Record(string name) => new() { Name = name, FirstAsked = Start, LastAsked = Start };

    private static OnDemandCertificate Group(params string[] names) => new() { DomainNames = names };

    private static OnDemandName Name(OnDemandRecord record, params string[] others)
    {
        EquatableArray<CertificateIdentifier> all =
            [.. others.Prepend(record.Name).Select(n => new CertificateIdentifier(IdentifierKind.Dns, n))];
        return new(record, [SampleCertificates.Specification(record.Name) with { Identifiers = all }], learned: 1);
    }
}
