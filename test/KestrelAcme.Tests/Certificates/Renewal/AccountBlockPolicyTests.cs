using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class AccountBlockPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Pause_RefusalsInARow_DoublesUpToThreeHours()
        => Assert.Equal(
            [1, 2, 4, 8, 16, 32, 64, 128, 180, 180], Enumerable.Range(1, 10).Select(n => AccountBlockPolicy.Pause(n, Minute).TotalMinutes));

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 15)]
    [InlineData(12, 60)]
    [InlineData(500, 60)]
    public void Soon_AfterRefusals_ComesNoSoonerTheMoreThereWere(int refusals, int seconds)
        => Assert.Equal(Now.AddSeconds(seconds), AccountBlockPolicy.Soon(Now, Now.AddHours(3), refusals, Minute, Now.AddSeconds(1)));

    [Fact]
    public void Soon_DueEarlier_StaysAsItIs()
        => Assert.Equal(Now.AddSeconds(1), AccountBlockPolicy.Soon(Now, Now.AddSeconds(1), 1, Minute, Now));

    [Fact]
    public void Soon_NotedWhileTheClockWasFarAhead_IsNow()
        => Assert.Equal(Now, AccountBlockPolicy.Soon(Now.AddDays(400), Now.AddDays(401), 1, Minute, Now));

    [Fact]
    public void MayRegister_ThreeTimesInThreeHours_NotAFourthTime()
    {
        DateTimeOffset[] registrations = [];
        for (var i = 0; i < 3; i++)
        {
            Assert.True(AccountBlockPolicy.MayRegister(registrations, Now.AddMinutes(i)));
            registrations = AccountBlockPolicy.Add(registrations, Now.AddMinutes(i));
        }

        Assert.False(AccountBlockPolicy.MayRegister(registrations, Now.AddMinutes(3)));
        Assert.True(AccountBlockPolicy.MayRegister(registrations, Now.AddHours(3).AddSeconds(1)));
    }

    [Fact]
    public void MayReplaceKey_ReplacedBefore_OnlyOnceADay()
    {
        Assert.True(AccountBlockPolicy.MayReplaceKey(null, Now));
        Assert.False(AccountBlockPolicy.MayReplaceKey(Now.AddHours(-23), Now));
        Assert.True(AccountBlockPolicy.MayReplaceKey(Now.AddHours(-25), Now));
    }
}
