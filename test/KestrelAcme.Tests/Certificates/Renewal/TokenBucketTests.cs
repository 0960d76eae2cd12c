using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class TokenBucketTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(45);

    [Fact]
    public void Take_AnyThreeHours_AtMost300()
    {
        var bucket = TokenBucket.Full(50);
        var taken = new List<DateTimeOffset>();
        for (var now = Start; now < Start.AddHours(12); now += TimeSpan.FromSeconds(1))
        {
            (bucket, var wait) = bucket.Take(now, 50, Interval);
            if (wait is null)
            {
                taken.Add(now);
            }
        }

        Assert.True(taken.Count > 900, $"{taken.Count} were taken");
        foreach (var first in taken)
        {
            Assert.True(taken.Count(t => t >= first && t < first.AddHours(3)) <= 300);
        }
    }

    [Fact]
    public void Take_Empty_SaysHowLongToWait()
    {
        var (_, wait) = new TokenBucket(0.2, Start).Take(Start, 50, Interval);

        Assert.Equal(36, wait!.Value.TotalSeconds, precision: 3);
    }

    [Fact]
    public void Take_ClockWentBack_FillsNothing()
    {
        var (bucket, wait) = new TokenBucket(0, Start).Take(Start.AddDays(-1), 50, Interval);

        Assert.Equal((0, Interval), (bucket.Tokens, wait!.Value));
    }

    [Fact]
    public void Take_LookedAtOften_AsksForAWaitOrGivesAToken()
    {
        var bucket = new TokenBucket(0, Start);
        for (var now = Start; now < Start.AddHours(1); now += TimeSpan.FromSeconds(3))
        {
            (bucket, var wait) = bucket.Take(now, 50, Interval);

            // A wait of zero would be asked for again and again.
            Assert.True(wait is null || wait > TimeSpan.Zero, $"no token and no wait at {now:T}");
        }
    }
}
