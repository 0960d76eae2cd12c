using System.Net;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Routing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class AddressWatchTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Judge_NewSetAtTwoLooksInARow_IsSteady()
    {
        var seen = AddressWatch.Remember(new SeenAddresses(), [At("a.test", 1, 2)], looks: null);

        Assert.Empty(AddressWatch.Judge(seen, Looks(), [At("a.test", 2, 1)]).New);
        var first = AddressWatch.Judge(seen, Looks(), [At("a.test", 3)]);
        Assert.Empty(first.Steady);
        Assert.Single(first.New);
        Assert.Equal(first.New, AddressWatch.Judge(seen, Looks() with { Changed = first.New }, [At("a.test", 3)]).Steady);
    }

    [Fact]
    public void Judge_OneNameRotatesAndAnotherIsRepaired_TheRepairedOneIsSteady()
    {
        var seen = AddressWatch.Remember(new SeenAddresses(), [At("rotates.test", 1), At("repaired.test", 1)], looks: null);

        var first = AddressWatch.Judge(seen, Looks(), [At("rotates.test", 2), At("repaired.test", 9)]);
        var second = AddressWatch.Judge(seen, Looks() with { Changed = first.New }, [At("rotates.test", 3), At("repaired.test", 9)]);

        Assert.Single(second.Steady);
    }

    [Fact]
    public void Judge_NoAddressesOrNoAnswer_IsNoRepair()
    {
        var seen = AddressWatch.Remember(new SeenAddresses(), [At("a.test", 1)], looks: null);

        Assert.Empty(AddressWatch.Judge(seen, Looks(), [At("a.test"), new NameAddresses("b.test", null)]).New);
    }

    [Fact]
    public void Judge_SetOfAnEarlierFailureOrOneThatDidNotLast_IsNotNew()
    {
        var seen = AddressWatch.Remember(new SeenAddresses(), [At("a.test", 1)], looks: null);
        var mark = AddressWatch.Judge(seen, Looks(), [At("a.test", 2)]).New;

        Assert.Empty(AddressWatch.Judge(seen, Looks() with { Unsteady = mark }, [At("a.test", 2)]).New);
        var failedAgain = AddressWatch.AfterFailure(AddressWatch.Remember(seen, [At("a.test", 2)], looks: null));
        var again = AddressWatch.Remember(failedAgain, [At("a.test", 3)], looks: null);
        Assert.Empty(AddressWatch.Judge(again, Looks(), [At("a.test", 1), At("a.test", 2), At("a.test", 3)]).New);
    }

    [Fact]
    public void MayBringForward_ThreeWithinADay_Ends()
    {
        var seen = new SeenAddresses();
        for (var i = 0; i < AddressWatch.MostInADay; i++)
        {
            Assert.True(AddressWatch.MayBringForward(seen, Now.AddHours(i)));
            seen = AddressWatch.BringForward(seen, Now.AddHours(i));
        }

        Assert.False(AddressWatch.MayBringForward(seen, Now.AddHours(5)));
        Assert.True(AddressWatch.MayBringForward(seen, Now.AddHours(24.5)));

        // What a clock noted that was a year ahead does not stop it for a year.
        Assert.True(AddressWatch.MayBringForward(seen, Now.AddYears(-1)));
        Assert.Equal(3, AddressWatch.BringForward(seen, Now.AddHours(24.5)).BroughtForward.Count);
    }

    [Fact]
    public void Remember_EndlesslyManySets_AreBoundedAndEndTheWatch()
    {
        var seen = new SeenAddresses();
        for (var i = 0; i < 1000; i++)
        {
            seen = AddressWatch.Remember(seen, [At("a.test", i)], looks: null);
        }

        Assert.Equal(AddressWatch.MostSets, seen.Sets.Count);
        Assert.False(AddressWatch.MayBringForward(seen, Now));
    }

    private static RecordLooks Looks() => new(1, Now);

    private static NameAddresses At(string name, params int[] addresses)
        => new(name, [.. addresses.Select(a => new IPAddress(new byte[] { 10, 0, (byte)(a >> 8), (byte)a }))]);
}
