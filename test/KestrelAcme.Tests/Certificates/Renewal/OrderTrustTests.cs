using System.Globalization;
using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class OrderTrustTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Limit_ThreeFamiliesAndNothingWasEverAccepted_HoldsNewNames()
        => Assert.Equal(Start + RateLimitPolicy.Window, Refused(new OrderTrust(), 3).HeldUntil(Start));

    [Fact]
    public void Limit_TwoFamilies_HoldsBackNothing() => Assert.Null(Refused(new OrderTrust(), 2).HeldUntil(Start));

    [Fact]
    public void Limit_ThreeFamiliesAfterAnAcceptedOrder_LetsOneProbeGoAtOnceAndTheOthersWait()
    {
        var trust = Refused(OrderTrust.Accepted(Start.AddHours(-1)), 3);

        Assert.Null(trust.HeldUntil(Start));
        Assert.NotNull(trust.Begin(Start).HeldUntil(Start));
    }

    [Fact]
    public void Accepted_DuringADoubt_EndsIt()
    {
        var trust = Refused(OrderTrust.Accepted(Start.AddHours(-1)), 3).Begin(Start);

        Assert.True(trust.InDoubt);
        Assert.False(OrderTrust.Accepted(Start).InDoubt);
    }

    [Fact]
    public void Limit_NameWithACertificate_HoldsBackNewNames()
    {
        var trust = Refused(OrderTrust.Accepted(Start.AddHours(-1)), 2).Limit("proven.test", isProven: true, asked: null, Start);

        Assert.Equal(Start + RateLimitPolicy.Window, trust.HeldUntil(Start));
    }

    [Fact]
    public void HeldUntil_NotedWhileTheClockWasFarAhead_IsOver()
        => Assert.Null(new OrderTrust().Recall(Start.AddDays(300)).HeldUntil(Start));

    /// <summary>
    /// Three hostile families are refused whenever they may order, and others are accepted. Nobody honest waits longer than a probe takes.
    /// </summary>
    [Fact]
    public void Limit_ThirtyDaysOfHostileDomains_HonestNamesContinue()
    {
        var trust = OrderTrust.Accepted(Start);
        var (longest, waited, honest) = (TimeSpan.Zero, TimeSpan.Zero, 0);
        for (var now = Start; now < Start.AddDays(30); now += Minute)
        {
            if (now.Minute % 15 == 0)
            {
                // All at the same time, as after waits of equal length. Those that are held back come again later.
                for (var i = 0; i < 4 && trust.HeldUntil(now) is null; i++)
                {
                    trust = trust.Begin(now);
                    trust = trust.Limit(
                        string.Create(CultureInfo.InvariantCulture, $"hostile{i}.test"), isProven: false, asked: TimeSpan.FromHours(1),
                        now);
                }
            }

            if (trust.HeldUntil(now) is null)
            {
                trust = trust.Begin(now);
                trust = OrderTrust.Accepted(now);
                (waited, honest) = (TimeSpan.Zero, honest + 1);
            }
            else
            {
                waited += Minute;
                longest = waited > longest ? waited : longest;
            }
        }

        Assert.InRange(longest, TimeSpan.Zero, TimeSpan.FromMinutes(2));
        Assert.InRange(honest, 30 * 24 * 60 * 3 / 4, int.MaxValue);
    }

    /// <summary>The account is at its limit, and all of a thousand new names are refused. Few of them find that out.</summary>
    [Fact]
    public void Limit_ThreeHoursAtTheLimitOfTheAccount_FewNamesAreRefused()
    {
        var trust = OrderTrust.Accepted(Start);
        var refused = 0;
        for (var now = Start; now < Start.AddHours(3); now += TimeSpan.FromSeconds(1))
        {
            if (trust.HeldUntil(now) is null)
            {
                trust = trust.Begin(now);
                trust = trust.Limit(
                    string.Create(CultureInfo.InvariantCulture, $"name{refused++}.test"), isProven: false, asked: null, now);
            }
        }

        Assert.InRange(refused, 3, 20);
    }

    [Fact]
    public void IsForbidden_NothingWasEverAccepted_AtTheFirstName() => Assert.True(new OrderTrust().Forbid("a.test").IsForbidden(Start));

    [Fact]
    public void IsForbidden_OthersWereAccepted_AtTheThirdName()
    {
        var trust = OrderTrust.Accepted(Start).Forbid("a.test").Forbid("a.test").Forbid("b.test");

        Assert.False(trust.IsForbidden(Start));
        Assert.True(trust.Forbid("c.test").IsForbidden(Start));
    }

    private static OrderTrust Refused(OrderTrust trust, int families)
        => Enumerable.Range(0, families).Aggregate(
            trust, (t, i) => t.Limit(string.Create(CultureInfo.InvariantCulture, $"{i}.test"), isProven: false, asked: null, Start));
}
