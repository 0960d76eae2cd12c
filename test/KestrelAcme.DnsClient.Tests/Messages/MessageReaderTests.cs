using System.Text;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Messages;

public sealed class MessageReaderTests
{
    [Fact]
    public void Read_EveryRecordType_RoundTrips()
    {
        DnsMessage message = MessageReader.Read(SampleMessages.AllTypes());

        Assert.Equal(
            [DnsRecordType.A, DnsRecordType.AAAA, DnsRecordType.CNAME, DnsRecordType.TXT, DnsRecordType.CAA, (DnsRecordType)99],
            message.Answers.Select(record => record.Type));
        Assert.Equal("2001:db8::1", Assert.IsType<AddressRecord>(message.Answers[1]).Address.ToString());
        Assert.Equal(new string('x', 600), Assert.IsType<TxtRecord>(message.Answers[3]).Text);
        Assert.Equal([255, 255, 90], ((TxtRecord)message.Answers[3]).Strings.Select(part => part.Length));
        var caa = Assert.IsType<CaaRecord>(message.Answers[4]);
        Assert.Equal(("issue", "ca.test; accounturi=x", false), (caa.Tag, caa.Value, caa.IsCritical));
        Assert.Equal([1, 2, 3], Assert.IsType<OpaqueRecord>(message.Answers[5]).Data.ToArray());
        Assert.Equal(2026112101u, Assert.IsType<SoaRecord>(message.Authority[0]).Serial);
        Assert.Equal(DnsName.Parse("ns1.example.test"), Assert.IsType<NsRecord>(message.Authority[1]).Server);
        Assert.Equal((byte?)0, message.ExtendedCode);
        Assert.Equal(TimeSpan.FromMinutes(1), message.Answers[0].TimeToLive);
    }

    [Fact]
    public void Read_CompressedNames_AreExpanded()
    {
        DnsMessage message = MessageReader.Read(SampleMessages.Compressed());

        Assert.Equal("www.example.test", message.Answers[0].Name.ToString());
        Assert.Equal("web.example.test", Assert.IsType<CnameRecord>(message.Answers[0]).Target.ToString());
        Assert.Equal("web.example.test", message.Answers[1].Name.ToString());
    }

    [Theory]
    [InlineData("c00c", "points")] // to itself
    [InlineData("016ac00c", "points")] // a label, then back to that label
    [InlineData("c010", "points")] // forward
    [InlineData("c000", "points")] // into the header
    [InlineData("c0", "within a field")]
    [InlineData("3f6161", "within a field")]
    [InlineData("4061", "wrong label")]
    [InlineData("8061", "wrong label")]
    public void Read_BadName_ThrowsFormatException(string name, string problem)
    {
        byte[] message = [.. SampleMessages.Header(questions: 1), .. Convert.FromHexString(name)];

        Assert.Contains(problem, Assert.Throws<DnsFormatException>(() => MessageReader.Read(message)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(127, true)]
    [InlineData(128, false)]
    public void Read_PointersToPointers_AreFollowedSoFar(int pointers, bool isRead)
    {
        byte[] message = PointerChain(pointers, names: 1);

        Exception? error = Record.Exception(() => MessageReader.Read(message));

        Assert.Equal(isRead ? null : typeof(DnsFormatException), error?.GetType());
        Assert.True(isRead || error!.Message.Contains("pointer to pointer", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_ManyNamesOfManyPointers_CostNoMoreThanTheMessageHasOctets()
    {
        // Each name is within its own limit; reading all of them would cost a hundred times the message.
        byte[] message = PointerChain(100, names: 4000);

        var error = Assert.Throws<DnsFormatException>(() => MessageReader.Read(message));

        Assert.Contains("pointer to pointer", error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// An unknown record whose data is pointers, each to the previous one, and then address records whose names are the last pointer.
    /// </summary>
    private static byte[] PointerChain(int pointers, int names)
    {
        var message = new List<byte>(SampleMessages.Header(questions: 1));
        message.AddRange([1, (byte)'a', 0, 0, 1, 0, 1]);
        message.AddRange([0, 255, 1, 0, 1, 0, 0, 0, 0, (byte)((pointers - 1) * 2 >> 8), (byte)((pointers - 1) * 2)]);
        int target = 12;
        for (int i = 1; i < pointers; i++)
        {
            int here = message.Count;
            message.AddRange([(byte)(0xC0 | (target >> 8)), (byte)target]);
            target = here;
        }

        for (int i = 0; i < names; i++)
        {
            message.AddRange([(byte)(0xC0 | (target >> 8)), (byte)target, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
        }

        message[6] = (byte)((names + 1) >> 8);
        message[7] = (byte)(names + 1);
        return [.. message];
    }

    [Fact]
    public void Read_NameTooLongByPointers_ThrowsFormatException()
    {
        // Names of 64 octets, each with a pointer to the previous one: the fourth reaches 257.
        var bytes = new List<byte>(SampleMessages.Header(answers: 4));
        int previous = -1;
        for (int i = 0; i < 4; i++)
        {
            int start = bytes.Count;
            bytes.AddRange([63, .. Encoding.ASCII.GetBytes(new string('a', 63))]);
            bytes.AddRange(previous < 0 ? [0] : [(byte)(0xC0 | (previous >> 8)), (byte)previous]);
            bytes.AddRange([0, 99, 0, 1, 0, 0, 0, 0, 0, 0]);
            previous = start;
        }

        var error = Assert.Throws<DnsFormatException>(() => MessageReader.Read([.. bytes]));
        Assert.Contains("overlong", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00 0001 0001 00000000 0003 010203", "within a field")] // an A record of three octets
    [InlineData("00 0001 0001 00000000 0005 0102030405", "not as long")]
    [InlineData("00 0001 0001 00000000 0008 01020304", "beyond its end")]
    [InlineData("00 0010 0001 00000000 0002 0561", "within a field")] // a string longer than its record
    [InlineData("00 0010 0001 00000000 0002 0261 6263", "not as long")] // and one that another record follows
    [InlineData("00 0101 0001 00000000 0002 0000", "no tag")]
    [InlineData("00 0101 0001 00000000 0003 000561", "within a field")]
    [InlineData("00 0101 0001 00000000 0003 000261 62", "within a field")]
    [InlineData("00 0002 0001 00000000 0001 0161", "within a field")]
    [InlineData("00 0001 0001 00000000 0004 01020304 ff", "follow the last record")]
    public void Read_BadRecord_ThrowsFormatException(string record, string problem)
    {
        string octets = record.Replace(" ", "", StringComparison.Ordinal);
        byte[] message = [.. SampleMessages.Header(answers: 1), .. Convert.FromHexString(octets)];

        Assert.Contains(problem, Assert.Throws<DnsFormatException>(() => MessageReader.Read(message)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CountsWithoutRecords_ThrowsFormatException() =>
        Assert.Throws<DnsFormatException>(() => MessageReader.Read(SampleMessages.Header(answers: ushort.MaxValue)));

    [Fact]
    public void Read_TimeToLiveWithTopBit_CountsAsZero()
    {
        byte[] message = [.. SampleMessages.Header(answers: 1), .. Convert.FromHexString("0000010001ffffffff000401020304")];

        Assert.Equal(TimeSpan.Zero, MessageReader.Read(message).Answers[0].TimeToLive);
    }

    [Fact]
    public void Read_ExtendedCode_IsJoined()
    {
        byte[] message = [.. SampleMessages.Header(additional: 1), .. Convert.FromHexString("0000290500010000000000")];

        Assert.Equal(DnsResponseCode.BADVERS, MessageReader.Read(message).Code);
    }
}
