using KestrelAcme.Certificates.Authorities;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class AuthorityHealthTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void OpenUntil_Failed_IsTheLatestTime()
    {
        var health = new AuthorityHealth();
        health.OpenFor(Now.AddMinutes(15), Now);
        health.OpenFor(Now.AddMinutes(1), Now);

        Assert.Equal(Now.AddMinutes(15), health.OpenUntil(Now));
    }

    [Fact]
    public void OpenUntil_OpenedByAClockThatWasAhead_IsOver()
    {
        var health = new AuthorityHealth();
        health.OpenFor(Now.AddDays(3).AddMinutes(15), Now.AddDays(3));

        Assert.Null(health.OpenUntil(Now));
        health.OpenFor(Now.AddMinutes(1), Now);
        Assert.Equal(Now.AddMinutes(1), health.OpenUntil(Now));
    }

    [Fact]
    public void IsDown_ThreeOrdersEndedInAnOutage_OneAtATimeFindsOutWhetherItIsBack()
    {
        var health = new AuthorityHealth();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(health.IsDown(Now, hasFailed: true, probes: true));
            health.OpenFor(Now.AddMinutes(1), Now, isOutage: true);
        }

        Assert.True(health.IsDown(Now, hasFailed: false, probes: true));
        var after = Now.AddMinutes(2);
        Assert.True(health.IsDown(after, hasFailed: true, probes: true));
        Assert.False(health.IsDown(after, hasFailed: false, probes: true));
        Assert.True(health.IsDown(after, hasFailed: false, probes: true));
        Assert.False(health.IsDown(after.AddMinutes(6), hasFailed: false, probes: true));

        health.Succeeded();
        Assert.False(health.IsDown(after, hasFailed: true, probes: true));
    }

    [Fact]
    public void IsDown_HeldForARateLimit_IsNot()
    {
        var health = new AuthorityHealth();
        Enumerable.Range(0, 5).ToList().ForEach(_ => health.OpenFor(Now.AddMinutes(15), Now));

        Assert.False(health.IsDown(Now, hasFailed: false, probes: true));
    }
}
