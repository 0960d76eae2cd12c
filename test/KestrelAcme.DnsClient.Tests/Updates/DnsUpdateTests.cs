using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.DnsClient.Updates;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Updates;

public sealed class DnsUpdateTests
{
    [Fact]
    public void Write_Operations_FollowRfc2136()
    {
        byte[] message = new DnsUpdate(DnsName.Parse("z.test"))
            .Add(Reply.Txt("a.z.test", "v"))
            .Delete(Reply.Txt("a.z.test", "w"))
            .DeleteSet(DnsName.Parse("b.z.test"), DnsRecordType.TXT)
            .Write(0x0102);

        Assert.Equal(
            "010228000001000000030000" // opcode 5, one zone, three updates
            + "017A04746573740000060001" // z.test SOA IN
            + "0161017A04746573740000100001" + "0000003C" + "00020176" // add: class IN, its time to live
            + "0161017A0474657374000010" + "00FE" + "00000000" + "00020177" // delete one: class NONE
            + "0162017A0474657374000010" + "00FF" + "00000000" + "0000", // delete the set: class ANY, no data
            Convert.ToHexString(message));
    }

    [Fact]
    public void Write_RecordTooLarge_Throws()
    {
        DnsUpdate update = new DnsUpdate(DnsName.Parse("z.test")).Add(Reply.Caa("z.test", "issue", new string('x', 70_000)));

        Assert.Throws<ArgumentException>(() => update.Write(1));
        Assert.Throws<ArgumentException>(() => Reply.Txt("z.test", new string('x', 65_001)));
    }

    [Fact]
    public void Add_NameOutsideZone_Throws()
    {
        var update = new DnsUpdate(DnsName.Parse("z.test"));

        Assert.Throws<ArgumentException>(() => update.Add(Reply.Txt("a.zz.test", "v")));
        Assert.Throws<ArgumentException>(() => update.Delete(Reply.Txt("test", "v")));
        Assert.Throws<ArgumentException>(() => update.DeleteSet(DnsName.Parse("az.test"), DnsRecordType.TXT));
    }
}
