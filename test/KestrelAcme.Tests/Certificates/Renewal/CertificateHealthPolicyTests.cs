using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class CertificateHealthPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Days of life, hours after the due time, and whether the renewal is overdue then.</summary>
    public static TheoryData<double, double, bool> Late => new()
    {
        { 90, 0, false },
        { 90, 4 * 24, false },
        { 90, (4.5 * 24) + 0.1, true },
        { 47, 2 * 24, false },
        { 47, (2.35 * 24) + 0.1, true },
        { 6, 7, false },
        { 6, 7.3, true },
    };

    [Theory]
    [MemberData(nameof(Late))]
    public void Find_RenewalLate_IsOverdueAfterATwentiethOfTheLifetime(double days, double hoursLate, bool isOverdue)
    {
        var certificate = Certificate(days);
        var due = RenewalPolicy.DueAt(certificate, null, Start);

        var problems = Find(certificate, due, due.AddHours(hoursLate));

        Assert.Equal(isOverdue ? CertificateProblems.Overdue : CertificateProblems.None, problems);
    }

    [Theory]
    [InlineData(90, 25)]
    [InlineData(47, 12)]
    [InlineData(6, 2.5)]
    public void Find_Overdue_LeavesTimeToAct(double days, double daysLeft)
    {
        var certificate = Certificate(days);

        var due = RenewalPolicy.DueAt(certificate, null, Start);

        Assert.Equal(CertificateProblems.Overdue, Find(certificate, due, certificate.NotAfter.AddDays(-daysLeft)));
    }

    [Theory]
    [InlineData(90)]
    [InlineData(6)]
    public void Find_DueAtTheDeadline_IsOverdueBeforeExpiry(double days)
    {
        var certificate = Certificate(days);
        var due = RenewalPolicy.Deadline(certificate);

        Assert.Equal(CertificateProblems.Overdue, Find(certificate, due, certificate.NotAfter - (certificate.Lifetime / 10)));
    }

    [Fact]
    public void Find_AdvisedBeforeItWasIssued_CountsFromThen()
    {
        var certificate = Certificate(90);
        var due = Start.AddYears(-1);

        Assert.Equal(CertificateProblems.None, Find(certificate, due, Start.AddDays(4)));
        Assert.Equal(CertificateProblems.Overdue, Find(certificate, due, Start.AddDays(5)));
    }

    [Fact]
    public void Find_Expired_IsExpiredAndOverdue()
    {
        var certificate = Certificate(90);

        Assert.Equal(
            CertificateProblems.Expired | CertificateProblems.Overdue, Find(certificate, Start.AddDays(60), certificate.NotAfter));
    }

    [Fact]
    public void Find_NoCertificate_IsMissing()
    {
        Assert.Equal(CertificateProblems.Missing, Find(null, Start, Start.AddYears(1)));
        Assert.Equal(CertificateProblems.Missing | CertificateProblems.Blocked, Find(null, Start, Start, isBlocked: true));
    }

    [Fact]
    public void Find_SomeNamesNotCovered_IsMissing()
        => Assert.Equal(CertificateProblems.Missing, Find(Certificate(90) with { CoversNames = false }, Start, Start));

    [Fact]
    public void Find_BlockedBeforeItIsDue_IsBlocked()
        => Assert.Equal(CertificateProblems.Blocked, Find(Certificate(90), Start.AddDays(60), Start, isBlocked: true));

    [Fact]
    public void Find_Abandoned_IsNoProblem()
        => Assert.Equal(
            CertificateProblems.None,
            CertificateHealthPolicy.Find(Certificate(90), Start, isBlocked: true, isAbandoned: true, Start.AddYears(1)));

    private static CertificateProblems Find(CertificateFacts? certificate, DateTimeOffset due, DateTimeOffset now, bool isBlocked = false)
        => CertificateHealthPolicy.Find(certificate, due, isBlocked, isAbandoned: false, now);

    private static CertificateFacts Certificate(double days)
        => new(Start, Start.AddDays(days), CoversNames: true, HasRenewalInfo: false, Jitter: 0);
}
