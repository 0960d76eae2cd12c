using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class FailoverPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CertificateFacts Certificate =
        new(Now.AddDays(-60), Now.AddDays(30), CoversNames: true, HasRenewalInfo: true, Jitter: 0);

    [Fact]
    public void Choose_NoneFailed_ReturnsTheFirst() => Assert.Equal(0, Choose(Candidate("a"), Candidate("b")));

    [Fact]
    public void Choose_FirstFailedThreeTimes_ReturnsTheSecond() => Assert.Equal(1, Choose(Candidate("a", failures: 3), Candidate("b")));

    [Fact]
    public void Choose_FirstFailedTwice_ReturnsTheFirst() => Assert.Equal(0, Choose(Candidate("a", failures: 2), Candidate("b")));

    [Fact]
    public void Choose_AllFailed_ReturnsTheOneThatFailedLeast()
        => Assert.Equal(1, Choose(Candidate("a", failures: 5), Candidate("b", failures: 4)));

    [Fact]
    public void Choose_WaitBeyondAQuarterOfTheLifetime_ReturnsTheSecond()
        => Assert.Equal(1, Choose(Candidate("a", openUntil: Certificate.NotAfter.AddDays(-20)), Candidate("b")));

    [Fact]
    public void Choose_ShortWait_ReturnsTheFirst()
        => Assert.Equal(0, Choose(Candidate("a", openUntil: Now.AddMinutes(15)), Candidate("b")));

    [Fact]
    public void Choose_NoCertificateAndALongWait_ReturnsTheSecond()
        => Assert.Equal(1, FailoverPolicy.Choose([Candidate("a", openUntil: Now.AddHours(1)), Candidate("b")], certificate: null, Now));

    [Fact]
    public void Choose_NoCertificateAndAShortWait_ReturnsTheFirst()
        => Assert.Equal(0, FailoverPolicy.Choose([Candidate("a", openUntil: Now.AddMinutes(15)), Candidate("b")], certificate: null, Now));

    [Fact]
    public void Choose_AllFailedAndOneIsHeld_ReturnsTheOther()
        => Assert.Equal(1, Choose(Candidate("a", failures: 3, openUntil: Now.AddDays(7)), Candidate("b", failures: 5)));

    private static int Choose(params AuthorityCandidate[] candidates) => FailoverPolicy.Choose(candidates, Certificate, Now);

    private static AuthorityCandidate Candidate(string id, int failures = 0, DateTimeOffset openUntil = default)
        => new(id, failures, openUntil);
}
