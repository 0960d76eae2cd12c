using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Renewal;
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

    [Fact]
    public void Decide_FailureNotedByAClockThatWasAhead_WaitsForNothing()
    {
        var failure = new CertificateFailure { Message = "it failed", At = Start.AddDays(30), NextTry = Start.AddDays(31), Cause = FailureCause.Local };

        Assert.True(RenewalPolicy.Decide(null, null, failure, Start).DueAt <= Start);
        Assert.Equal(failure.NextTry, RenewalPolicy.Decide(null, null, failure, Start.AddDays(30)).DueAt);
    }

    [Fact]
    public void Decide_PollPlannedByAClockThatWasAhead_PollsNow()
    {
        var advice = Advice(Start.AddDays(60)) with { NextPoll = Start.AddDays(30) };

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

    [Fact]
    public void Decide_AdviceEarlier_IsFollowed()
        => Assert.Equal(Start.AddDays(10), Decide(Certificate(90), Advice(Start.AddDays(10))).DueAt);

    [Fact]
    public void Decide_AdviceLaterThanAThird_IsFollowed()
        => Assert.Equal(Start.AddDays(70), Decide(Certificate(90), Advice(Start.AddDays(70))).DueAt);

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
    public void Decide_AdviceInThePast_IsDueNow()
        => Assert.True(Decide(Certificate(90), Advice(Start.AddDays(-1))).DueAt <= Start);

    [Fact]
    public void Decide_OrderUnfinished_IsDueNow()
    {
        var decision = RenewalPolicy.Decide(Certificate(90), Advice(Start.AddDays(10)), null, Start, unfinished: true);

        Assert.Equal(new RenewalDecision(CertificateAction.Order, Start, RenewalReason.Unfinished), decision);
    }

    [Fact]
    public void Decide_OrderUnfinishedAndBackOff_WaitsForTheBackOff()
    {
        var failure = new CertificateFailure { Message = "no", At = Start, NextTry = Start.AddHours(3), Cause = FailureCause.Name };

        Assert.Equal(Start.AddHours(3), RenewalPolicy.Decide(Certificate(90), Advice(Start.AddDays(10)), failure, Start, unfinished: true).DueAt);
    }

    [Fact]
    public void Decide_BackOffLaterThanDue_Waits()
    {
        var failure = new CertificateFailure { Message = "no", At = Start, NextTry = Start.AddHours(3), Cause = FailureCause.Name };

        Assert.Equal(Start.AddHours(3), RenewalPolicy.Decide(null, null, failure, Start).DueAt);
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

        Assert.Equal(CertificateAction.Order, RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, advice, null, Start).Action);
    }

    [Fact]
    public void Decide_Expired_IsNotAskedAbout()
    {
        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, null, null, Start.AddDays(91));

        Assert.Equal(CertificateAction.Order, decision.Action);
    }

    [Fact]
    public void Decide_PollNotedByAClockThatWasAhead_AsksNow()
    {
        var advice = Advice(Start.AddDays(60)) with { NextPoll = Start.AddYears(70) };

        var decision = RenewalPolicy.Decide(Certificate(90) with { HasRenewalInfo = true }, advice, null, Start);

        Assert.Equal((CertificateAction.PollRenewalInfo, Start), (decision.Action, decision.DueAt));
    }

    [Fact]
    public void Decide_FailureNotedByAClockThatWasAhead_DoesNotWait()
    {
        var failure = new CertificateFailure { Message = "no", At = Start.AddYears(70), NextTry = Start.AddYears(70).AddMinutes(1), Cause = FailureCause.Local };

        Assert.Equal(Start, RenewalPolicy.Decide(null, null, failure, Start).DueAt);
    }

    private static RenewalDecision Decide(CertificateFacts certificate, RenewalInfoRecord? advice = null) => RenewalPolicy.Decide(certificate, advice, null, Start);

    private static CertificateFacts Certificate(double days) => new(Start, Start.AddDays(days), CoversNames: true, HasRenewalInfo: false, Jitter: 0);

    private static RenewalInfoRecord Advice(DateTimeOffset chosen) => new()
    {
        WindowStart = chosen.AddHours(-1),
        WindowEnd = chosen.AddHours(1),
        ChosenInstant = chosen,
        NextPoll = Start.AddDays(1),
    };

    [Theory]
    [InlineData(1, false)]
    [InlineData(200, false)]
    [InlineData(1, true)]
    public void Decide_ObtainedRightAfterAnother_WaitsForATenthOfItsLifeUnlessItIsRevoked(int hoursBetween, bool revoked)
    {
        var obtained = new DateTimeOffset(2026, 1, 10, 0, 0, 0, TimeSpan.Zero);
        var certificate = new CertificateFacts(obtained, obtained.AddDays(50), CoversNames: true, HasRenewalInfo: true, Jitter: 0)
        {
            Issued = [obtained.AddHours(-hoursBetween), obtained],
            Revocation = revoked ? RevocationState.Replace : RevocationState.None,
        };
        var advice = new RenewalInfoRecord { ChosenInstant = obtained.AddHours(-1), NextPoll = obtained.AddHours(6) };

        var decision = RenewalPolicy.Decide(certificate, advice, failure: null, obtained.AddMinutes(1));

        Assert.Equal(hoursBetween == 1 && !revoked, decision.DueAt > obtained.AddMinutes(1));
    }
}
