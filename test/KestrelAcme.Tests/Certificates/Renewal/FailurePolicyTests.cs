using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class FailurePolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Next_NameFails_WaitsOneThenTenThenHundredMinutesThenADay()
    {
        FailureRecord? failure = null;
        var waits = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            failure = Next(failure, FailureCause.Name);
            waits.Add((failure.NextAttempt - Now).TotalMinutes);
        }

        Assert.Equal([1, 10, 100, 1440, 1440, 1440], waits);
        Assert.Equal(6, failure!.Count);
    }

    [Fact]
    public void Next_Jitter_LengthensByAtMostATenth()
    {
        var failure = FailurePolicy.Next(
            null, Report(FailureCause.Name), default, certificate: null, RetrySchedule.Default, Now, jitter: 1);

        Assert.Equal(66, (failure.NextAttempt - Now).TotalSeconds, precision: 3);
    }

    [Fact]
    public void Next_AuthorityFails_LeavesTheNamesCountAlone()
    {
        var failure = Next(Next(null, FailureCause.Name), FailureCause.Authority);

        Assert.Equal(1, failure.Count);
    }

    [Fact]
    public void Next_AuthorityFailsOften_WaitsAtMostFifteenMinutes()
    {
        var failure = FailurePolicy.Next(
            null, Report(FailureCause.Authority), new FailureRun(40, 40), certificate: null, RetrySchedule.Default, Now, 0);

        Assert.Equal(Now.AddMinutes(15), failure.NextAttempt);
    }

    [Fact]
    public void Next_AuthorityFailsWhileTheNameWaitsADay_TheDayStands()
    {
        var day = Enumerable.Range(0, 4).Aggregate((FailureRecord?)null, (f, _) => Next(f, FailureCause.Name));

        Assert.Equal(day!.NextAttempt, Next(day, FailureCause.Authority).NextAttempt);
    }

    [Theory]
    [InlineData(1, 60)]
    [InlineData(7200, 7200)]
    [InlineData(100_000_000, 604_800)]
    public void Next_RetryAfter_WinsClampedFromAMinuteToAWeek(int asked, int expected)
    {
        var report = Report(FailureCause.Authority) with { RetryAfter = TimeSpan.FromSeconds(asked) };

        Assert.Equal(
            Now.AddSeconds(expected),
            FailurePolicy.Next(null, report, new FailureRun(1), certificate: null, RetrySchedule.Default, Now, 0).NextAttempt);
    }

    [Fact]
    public void Next_RetryAfterOfDays_ComesBackSoonAfter()
    {
        var report = Report(FailureCause.Authority) with { RetryAfter = TimeSpan.FromDays(5) };

        Assert.Equal(
            Now.AddDays(5).AddMinutes(30),
            FailurePolicy.Next(null, report, new FailureRun(1), certificate: null, RetrySchedule.Default, Now, jitter: 1).NextAttempt);
    }

    [Fact]
    public void Next_OperatorActionRequired_WaitsADay() => Assert.Equal(Now.AddDays(1), Next(null, FailureCause.Operator).NextAttempt);

    [Fact]
    public void Next_ThisMachineFails_WaitsTwiceAsLongEachTimeUpToHalfAnHour()
    {
        FailureRecord? failure = null;
        var waits = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            failure = Next(failure, FailureCause.Local);
            waits.Add((failure.NextAttempt - Now).TotalMinutes);
        }

        Assert.Equal([1, 2, 4, 8, 16, 30, 30], waits);
        Assert.Equal(0, failure!.Count);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 4, 8)]
    [InlineData(1, 9, 30)]
    [InlineData(9, 9, 15)]
    public void Next_AuthorityFailsThisCertificateAlone_WaitsLongerThoughOthersSucceed(
        int ofTheAuthority, int ofThisCertificate, int minutes)
    {
        var failure = FailurePolicy.Next(
            null,
            Report(FailureCause.Authority),
            new FailureRun(ofTheAuthority, ofThisCertificate),
            certificate: null,
            RetrySchedule.Default,
            Now,
            jitter: 0);

        Assert.Equal(Now.AddMinutes(minutes), failure.NextAttempt);
    }

    public static TheoryData<string, double, double> Lives => new()
    {
        // The lifetime in hours, and the maximum hours between two attempts after expiry.
        { "ten minutes", 1 / 6.0, 1 },
        { "a day", 24, 1 },
        { "six days", 6 * 24, 1 },
        { "ninety days", 90 * 24, 26.4 },
    };

    [Theory]
    [MemberData(nameof(Lives))]
    public void Next_FailsFromTheRenewalOn_IsTriedWithinTheLifeLeftAndNeverSixTimesAnHour(string life, double hours, double mostAfterExpiry)
    {
        foreach (var cause in new[] { FailureCause.Name, FailureCause.Operator, FailureCause.Local, FailureCause.Authority })
        {
            var certificate = new CertificateFacts(Now, Now.AddHours(hours), CoversNames: true, HasRenewalInfo: false, Jitter: 0);
            var begin = RenewalPolicy.WithoutAdvice(certificate);
            var attempts = Attempts(certificate, begin, cause, certificate.NotAfter.AddDays(3));

            var before = attempts.Where(a => a < certificate.NotAfter).ToList();
            foreach (var (at, next) in before.Zip(before.Skip(1).Append(attempts.First(a => a >= certificate.NotAfter))))
            {
                // One attempt in each half of the remaining time, down to the rate of the last hour, or of a tenth of a short lifetime.
                var least = TimeSpan.FromHours(Math.Clamp(hours / 10, 1 / 60.0, 1) + 0.2);
                var left = certificate.NotAfter - at;
                Assert.True(
                    next - at <= left / 2 || next - at <= least || next - at <= TimeSpan.FromMinutes(100) || left < least,
                    $"{life}, {cause}: {at:u} then {next:u}, expires {certificate.NotAfter:u}");
            }

            Assert.True(before.Count >= 3, $"{life}, {cause}: {before.Count} attempts before it expired");
            var after = attempts.Where(a => a >= certificate.NotAfter).ToList();
            Assert.All(
                after.Zip(after.Skip(1)),
                pair => Assert.True(pair.Second - pair.First <= TimeSpan.FromHours(mostAfterExpiry), $"{life}, {cause}: {pair}"));
            if (cause == FailureCause.Name)
            {
                Assert.All(
                    attempts.Zip(attempts.Skip(FailedValidationPolicy.MostInAnHour)),
                    six => Assert.True(six.Second - six.First >= TimeSpan.FromHours(1), $"{life}: {six}"));
            }
        }
    }

    [Fact]
    public void Next_FailsAsATenMinuteCertificateIsAboutToExpire_IsTriedBeforeThat()
    {
        var certificate = new CertificateFacts(Now.AddMinutes(-6), Now.AddMinutes(4), CoversNames: true, HasRenewalInfo: false, Jitter: 0);
        var first = FailurePolicy.Next(
            null, Report(FailureCause.Name), default, certificate, RetrySchedule.Default, Now.AddMinutes(-1), jitter: 1);

        var second = FailurePolicy.Next(first, Report(FailureCause.Name), default, certificate, RetrySchedule.Default, Now, jitter: 1);

        Assert.InRange(second.NextAttempt, Now.AddMinutes(1), certificate.NotAfter.AddMinutes(-1));
    }

    [Fact]
    public void Next_AuthorityAskedToWaitBeyondTheLife_TheWaitIsKept()
    {
        var certificate = new CertificateFacts(Now.AddMinutes(-6), Now.AddMinutes(4), CoversNames: true, HasRenewalInfo: false, Jitter: 0);
        var report = Report(FailureCause.Authority) with { RetryAfter = TimeSpan.FromHours(2) };

        Assert.Equal(
            Now.AddHours(2), FailurePolicy.Next(null, report, new FailureRun(1), certificate, RetrySchedule.Default, Now, 0).NextAttempt);
    }

    private static List<DateTimeOffset> Attempts(CertificateFacts certificate, DateTimeOffset begin, FailureCause cause, DateTimeOffset end)
    {
        var attempts = new List<DateTimeOffset>();
        FailureRecord? failure = null;
        DateTimeOffset[]? validations = null;
        for (var now = begin; now < end; now = failure.NextAttempt)
        {
            attempts.Add(now);
            validations = cause == FailureCause.Name ? FailedValidationPolicy.Add(validations, now, 1) : null;
            failure = FailurePolicy.Next(
                failure, Report(cause), new FailureRun(attempts.Count, attempts.Count, validations), certificate, RetrySchedule.Default,
                now, jitter: 0.99);
        }

        return attempts;
    }

    private static FailureRecord Next(FailureRecord? previous, FailureCause cause)
        => FailurePolicy.Next(previous, Report(cause), new FailureRun(1, 1), certificate: null, RetrySchedule.Default, Now, jitter: 0);

    private static FailureReport Report(FailureCause cause) => new(cause, null, "it failed");
}
