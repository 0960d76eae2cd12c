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
}
