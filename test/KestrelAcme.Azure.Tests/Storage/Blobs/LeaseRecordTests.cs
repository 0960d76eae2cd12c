using KestrelAcme.Azure.Storage.Blobs;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class LeaseRecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(60, 61)]
    [InlineData(0.5, 2)]
    [InlineData(86_400, 86_401)]
    public void EndOf_WholeSecondsOnly_IsNeverShorterThanTheDuration(double seconds, long expected)
    {
        var end = LeaseRecord.EndOf(Now, TimeSpan.FromSeconds(seconds)) - Now.ToUnixTimeSeconds();
        Assert.Equal(expected, end);
        // The clock may already be almost a second further than its header says.
        Assert.True(end >= seconds + 0.999);
    }

    [Theory]
    [InlineData("me", 1, false)]
    [InlineData("me", 0, true)]
    [InlineData("me", -1, true)]
    [InlineData(null, 1, true)]
    [InlineData("me", 86_400 + 301, true)] // Granted while the server's clock was wrong.
    [InlineData("me", 86_400 + 300, false)]
    public void IsFree_EndAheadOfNow_DependsOnTheServersClock(string? holder, int ahead, bool expected)
        => Assert.Equal(expected, new LeaseRecord(1, holder, Now.ToUnixTimeSeconds() + ahead, []).IsFree(Now));
}
