using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Routing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class AbandonmentPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-29, FailureCause.Name, false)]
    [InlineData(-30, FailureCause.Name, true)]
    [InlineData(-30, FailureCause.Operator, true)]
    [InlineData(-90, FailureCause.Authority, false)]
    [InlineData(-90, FailureCause.Local, false)]
    public void IsCandidate_ExpiredAndFailed_IsOneAfter30DaysOfTheNamesFault(int endedDays, FailureCause cause, bool expected)
        => Assert.Equal(expected, AbandonmentPolicy.IsCandidate(EndingAt(Now.AddDays(endedDays)), Failed(cause), Now));

    [Fact]
    public void IsCandidate_WithoutAnEnd_IsNone()
    {
        var endless = new CertificateFacts(Now, DateTimeOffset.MaxValue, CoversNames: true, HasRenewalInfo: false, Jitter: 0);

        Assert.False(AbandonmentPolicy.IsCandidate(endless, Failed(FailureCause.Name), Now));
    }

    [Fact]
    public void IsCandidate_NotTriedSince_IsNone()
        => Assert.False(AbandonmentPolicy.IsCandidate(EndingAt(Now.AddDays(-300)), failure: null, Now));

    [Fact]
    public void IsCandidate_NoCertificate_IsNone()
        => Assert.False(AbandonmentPolicy.IsCandidate(certificate: null, Failed(FailureCause.Name), Now));

    [Theory]
    [InlineData(true, NameRoute.Gone)]
    [InlineData(true, NameRoute.Elsewhere)]
    [InlineData(true, NameRoute.Gone, NameRoute.Elsewhere)]
    [InlineData(false, NameRoute.Gone, NameRoute.Undecided)]
    [InlineData(false, NameRoute.Gone, NameRoute.Here)]
    [InlineData(false, NameRoute.Gone, NameRoute.Unknown)]
    [InlineData(false)]
    public void IsAbandoned_SomePlaces_OnlyIfEveryNamePointsElsewhere(bool expected, params object[] places)
        => Assert.Equal(expected, AbandonmentPolicy.IsAbandoned([.. places.Cast<NameRoute>()]));

    [Theory]
    [InlineData(false, NameRoute.Gone)]
    [InlineData(false, NameRoute.Elsewhere)]
    [InlineData(false, NameRoute.Unknown)]
    [InlineData(true, NameRoute.Undecided)]
    [InlineData(true, NameRoute.Gone, NameRoute.Here)]
    public void IsBack_SomePlaces_IfANameMayPointHere(bool expected, params object[] places)
        => Assert.Equal(expected, AbandonmentPolicy.IsBack([.. places.Cast<NameRoute>()]));

    [Fact]
    public void NextLook_LookedBefore_IsADayLater() => Assert.Equal(Now.AddHours(23), AbandonmentPolicy.NextLook(Now.AddHours(-1), Now));

    [Fact]
    public void NextLook_LookedInTheFuture_IsNow() => Assert.Equal(Now, AbandonmentPolicy.NextLook(Now.AddDays(400), Now));

    private static CertificateFacts EndingAt(DateTimeOffset end)
        => new(end.AddDays(-90), end, CoversNames: true, HasRenewalInfo: false, Jitter: 0);

    private static FailureRecord Failed(FailureCause cause)
        => new() { Message = "failed", Cause = cause, At = Now, NextAttempt = Now };
}
