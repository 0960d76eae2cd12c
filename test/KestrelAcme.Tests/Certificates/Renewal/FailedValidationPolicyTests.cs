using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class FailedValidationPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void NextAllowed_FourFailedWithinTheHour_IsNow() => Assert.Null(FailedValidationPolicy.NextAllowed(MinutesAgo(1, 2, 3, 4), Now));

    [Fact]
    public void NextAllowed_FiveFailedWithinTheHour_IsAnHourAfterTheFirstOfThem()
        => Assert.Equal(Now.AddMinutes(60 - 50), FailedValidationPolicy.NextAllowed(MinutesAgo(1, 2, 3, 4, 50, 61, 300), Now));

    [Fact]
    public void NextSensible_FourFailedWithinTheHour_KeepsTheFifthForLater()
        => Assert.Equal(Now.AddMinutes(12 - 1), FailedValidationPolicy.NextSensible(MinutesAgo(1, 2, 3, 4), Now));

    [Fact]
    public void NextSensible_ThreeFailed_IsNow() => Assert.Null(FailedValidationPolicy.NextSensible(MinutesAgo(1, 2, 3), Now));

    [Fact]
    public void NextAllowed_RecordedByAClockThatWasAhead_DoesNotCount()
        => Assert.Null(FailedValidationPolicy.NextAllowed(MinutesAgo(-600, -601, -602, -603, -604), Now));

    [Fact]
    public void Add_ForYears_KeepsWhatCounts()
    {
        DateTimeOffset[]? failed = null;
        for (var i = 0; i < 1000; i++)
        {
            failed = FailedValidationPolicy.Add(failed, Now.AddMinutes(i), 2);
        }

        Assert.Equal(FailedValidationPolicy.MostInAnHour, failed!.Length);
        Assert.Null(FailedValidationPolicy.Add(failed, Now.AddDays(9), 0));
    }

    private static IEnumerable<DateTimeOffset> MinutesAgo(params int[] minutes) => minutes.Select(m => Now.AddMinutes(-m));
}
