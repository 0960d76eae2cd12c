using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class RenewalPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Decide_NoCertificate_OrdersNow()
    {
        var decision = RenewalPolicy.Decide(null, null, null, Start);

        Assert.Equal(CertificateAction.Order, decision.Action);
        Assert.Equal(RenewalReason.Missing, decision.Reason);
        Assert.True(decision.DueAt <= Start);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(70 * 365)]
    public void Decide_FailureNotedByAClockThatWasAhead_WaitsForNothing(int daysAhead)
    {
        var failure = BackOff(Start.AddDays(daysAhead), Start.AddDays(daysAhead + 1));

        Assert.True(RenewalPolicy.Decide(null, null, failure, Start).DueAt <= Start);
        Assert.Equal(failure.NextAttempt, RenewalPolicy.Decide(null, null, failure, failure.At).DueAt);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(70 * 365)]
    public void Decide_PollPlannedByAClockThatWasAhead_PollsNow(int daysAhead)
    {
        var advice = Advice(Start.AddDays(60)) with { NextPoll = Start.AddDays(daysAhead) };

        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, advice, null, Start);

        Assert.Equal((CertificateAction.PollRenewalInfo, Start), (decision.Action, decision.DueAt));
    }

    [Fact]
    public void Decide_OtherNamesWanted_OrdersNow()
    {
        var decision = RenewalPolicy.Decide(Certificate(90) with { CoversNames = false }, null, null, Start);

        Assert.Equal((CertificateAction.Order, Start), (decision.Action, decision.DueAt));
    }

    [Theory]
    [InlineData(90, 60)]
    [InlineData(45, 30)]
    [InlineData(6, 3)]
    public void Decide_NoAdvice_RenewsWithAThirdOrAHalfLeft(int days, int renewAfterDays)
        => Assert.Equal(Start.AddDays(renewAfterDays), Decide(Certificate(days)).DueAt);

    [Fact]
    public void Decide_NoAdviceWithJitter_RenewsEarlierByAtMostTwoPercent()
    {
        var due = Decide(Certificate(90) with { Jitter = 0.5 }).DueAt;

        Assert.Equal(Start.AddDays(60 - 0.9), due);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(10, 10)]
    [InlineData(70, 70)]
    public void Decide_Advice_IsFollowedEarlierOrLaterThanAThirdLeft(int chosenDay, int dueDay)
    {
        var due = Decide(Certificate(90), Advice(Start.AddDays(chosenDay))).DueAt;

        // What is in the past is due now.
        Assert.Equal(Start.AddDays(dueDay), due > Start ? due : Start);
    }

    [Theory]
    [InlineData(90, 75)]
    [InlineData(6, 4.5)]
    public void Decide_AdviceTooLate_IsCappedAtASixthOrAQuarterLeft(int days, double deadlineAfterDays)
    {
        var decision = Decide(Certificate(days), Advice(Start.AddDays(days - 0.01)));

        Assert.Equal(Start.AddDays(deadlineAfterDays), decision.DueAt);
        Assert.Equal(RenewalReason.Deadline, decision.Reason);
    }

    [Fact]
    public void Decide_OrderUnfinished_IsDueNow()
    {
        var decision = RenewalPolicy.Decide(Certificate(90), Advice(Start.AddDays(10)), null, Start, unfinished: true);

        Assert.Equal(new RenewalDecision(CertificateAction.Order, Start, RenewalReason.Unfinished), decision);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Decide_BackOffLaterThanDue_WaitsForTheBackOff(bool hasCertificate, bool unfinished)
    {
        var failure = BackOff(Start, Start.AddHours(3));

        var decision = RenewalPolicy.Decide(hasCertificate ? Certificate(90) : null, null, failure, Start, unfinished);

        Assert.Equal((CertificateAction.Order, Start.AddHours(3)), (decision.Action, decision.DueAt));
    }

    [Fact]
    public void Decide_RenewalInfoNeverAsked_AsksNow()
    {
        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, null, null, Start.AddDays(1));

        Assert.Equal((CertificateAction.PollRenewalInfo, Start.AddDays(1)), (decision.Action, decision.DueAt));
    }

    [Fact]
    public void Decide_PollAfterTheOrder_OrderComesFirst()
    {
        var advice = Advice(Start.AddHours(2)) with { NextPoll = Start.AddHours(3) };

        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, advice, null, Start);

        Assert.Equal(CertificateAction.Order, decision.Action);
    }

    [Fact]
    public void Decide_Expired_IsNotAskedAbout()
    {
        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, null, null, Start.AddDays(91));

        Assert.Equal(CertificateAction.Order, decision.Action);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 6)]
    [InlineData(3, 24)]
    [InlineData(8, 24)]
    public void Decide_AdvisedToRenewRightAfterOthers_WaitsForHoursAndSaysSo(int before, int hours)
    {
        var certificate = Obtained(Enumerable.Range(1, before).Reverse().Select(i => Start.AddHours(-i)));

        var decision = RenewalPolicy.Decide(certificate, AdviceNow(), failure: null, Start.AddMinutes(1));

        Assert.Equal((Start.AddHours(hours), Start.AddHours(hours)), (decision.DueAt, decision.HeldUntil));
        Assert.Null(RenewalPolicy.Decide(certificate, AdviceNow(), failure: null, Start.AddHours(hours)).HeldUntil);
    }

    [Fact]
    public void Decide_RevokedAgainHoursAfterItsReplacement_IsReplacedAtOnce()
    {
        var certificate = Obtained([Start.AddHours(-3)]);

        Assert.True(RenewalPolicy.Decide(certificate, AdviceNow(), failure: null, Start.AddHours(2)).DueAt <= Start.AddHours(2));
    }

    [Fact]
    public void Decide_FirstReplacement_WaitsForNothing()
    {
        var decision = RenewalPolicy.Decide(Obtained([Start.AddDays(-8)]), AdviceNow(), failure: null, Start.AddMinutes(1));

        Assert.True(decision.DueAt <= Start.AddMinutes(1));
        Assert.Null(decision.HeldUntil);
    }

    [Fact]
    public void Decide_KnownAsRevokedRightAfterOthers_IsReplacedAtOnce()
    {
        var certificate = Obtained([Start.AddHours(-2), Start.AddHours(-1)]) with { Revocation = RevocationState.Replace };

        Assert.True(RenewalPolicy.Decide(certificate, AdviceNow(), failure: null, Start.AddMinutes(1)).DueAt <= Start.AddMinutes(1));
    }

    [Theory]
    [InlineData(10, 60)]
    [InlineData(1, 30)]
    public void Decide_LivesForMinutesOnly_IsHeldBackForLess(int minutes, int seconds)
    {
        var certificate = Obtained([Start.AddMinutes(-1)]) with { NotAfter = Start.AddMinutes(minutes) };

        Assert.Equal(Start.AddSeconds(seconds), RenewalPolicy.Decide(certificate, AdviceNow(), failure: null, Start.AddSeconds(1)).DueAt);
    }

    [Fact]
    public void Decide_AuthorityThatAlwaysAdvisesNow_IsAskedOnceADayInTheEnd()
    {
        var issued = new List<DateTimeOffset> { Start };
        while (issued[^1] < Start.AddDays(20))
        {
            var facts = new CertificateFacts(issued[^1], issued[^1].AddDays(90), CoversNames: true, HasRenewalInfo: false, Jitter: 0)
            {
                Issued = issued,
            };
            var due = RenewalPolicy.Decide(facts, AdviceNow(), failure: null, issued[^1]).DueAt;
            issued.Add(due > issued[^1] ? due : issued[^1].AddSeconds(10));
        }

        Assert.InRange(issued.Count, 20, 25);
    }

    private static RenewalDecision Decide(CertificateFacts certificate, RenewalInfoRecord? advice = null)
        => RenewalPolicy.Decide(certificate, advice, null, Start);

    private static CertificateFacts Certificate(double days)
        => new(Start, Start.AddDays(days), CoversNames: true, HasRenewalInfo: false, Jitter: 0);

    private static RenewalInfoRecord Advice(DateTimeOffset chosen) => new()
    {
        WindowStart = chosen.AddHours(-1),
        WindowEnd = chosen.AddHours(1),
        ChosenInstant = chosen,
        NextPoll = Start.AddDays(1),
    };

    private static CertificateFacts Obtained(IEnumerable<DateTimeOffset> before)
        => new(Start, Start.AddDays(90), CoversNames: true, HasRenewalInfo: false, Jitter: 0) { Issued = [.. before, Start] };

    private static RenewalInfoRecord AdviceNow() => new() { ChosenInstant = Start.AddDays(-1), NextPoll = Start.AddDays(30) };

    private static FailureRecord BackOff(DateTimeOffset at, DateTimeOffset until)
        => new() { Message = "It failed.", At = at, NextAttempt = until, Cause = FailureCause.Local };
}
