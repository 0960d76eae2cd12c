using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class ExactSetPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 8, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void NextAllowed_ThreeInAWeek_IsNow()
        => Assert.Null(ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3)], Now));

    [Fact]
    public void NextAllowed_FourInAWeek_IsWhenTheOldestIsAWeekOld()
        => Assert.Equal(
            Now.AddDays(3), ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3), Now.AddDays(-4)], Now));

    [Fact]
    public void NextAllowed_OlderOnes_AreNotCounted()
        => Assert.Null(
            ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3), Now.AddDays(-8), Now.AddDays(-9)], Now));

    [Fact]
    public void Add_Old_IsForgotten()
    {
        var state = new CertificateStateRecord
        {
            Issued = [Now.AddDays(-30), Now.AddDays(-1)],
            IssuedBy = ["https://a.test/", "https://b.test/"],
        };

        var added = ExactSetPolicy.Add(state, Now, new Uri("https://a.test/"));

        Assert.Equal([Now.AddDays(-1), Now], added.Issued!);
        Assert.Equal(["https://b.test/", "https://a.test/"], added.IssuedBy!);
        Assert.Equal([Now], ExactSetPolicy.Of(added, new Uri("https://a.test/")));
    }

    /// <summary>An earlier version did not write down the CA, and drops what a later one wrote.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Of_AuthoritiesAreNotKnown_AllCount(int known)
    {
        var state = new CertificateStateRecord
        {
            Issued = [Now.AddDays(-1), Now],
            IssuedBy = known == 0 ? null : ["https://b.test/"],
        };

        var added = ExactSetPolicy.Add(state, Now, new Uri("https://b.test/"));

        Assert.Equal(state.Issued, ExactSetPolicy.Of(state, new Uri("https://a.test/")));
        Assert.Equal(state.Issued, ExactSetPolicy.Of(added, new Uri("https://a.test/")));
    }
}
