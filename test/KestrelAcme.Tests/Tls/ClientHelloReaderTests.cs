using System.Buffers;
using System.Text;
using KestrelAcme.Testing;
using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class ClientHelloReaderTests
{
    [Theory]
    [InlineData("a.test", "a.test")]
    [InlineData("WWW.Example.TEST", "www.example.test")]
    [InlineData("a.test.", "a.test")]
    [InlineData("xn--bcher-kva.test", "xn--bcher-kva.test")]
    [InlineData("_service.a.test", "_service.a.test")]
    [InlineData("1.0.0.127.in-addr.arpa", "1.0.0.127.in-addr.arpa")]
    public void Read_Name_Normalized(string sent, string expected)
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For(sent), out var hello));
        Assert.Equal(expected, hello.ServerName);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..test")]
    [InlineData(".a.test")]
    [InlineData("a\0.test")]
    [InlineData("a test")]
    [InlineData("bücher.test")]
    [InlineData("*.a.test")]
    [InlineData("a.test:443")]
    [InlineData("192.0.2.1:443")]
    [InlineData("[2001:db8::1]:443")]
    [InlineData("[192.0.2.1]")]
    [InlineData("192.0.2.01")]
    [InlineData("192.0.2")]
    [InlineData("12345")]
    [InlineData("[]")]
    [InlineData("::1]")]
    public void Read_InvalidName_CountsAsUnknown(string sent)
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For(sent), out var hello));
        Assert.Equal((HostName.Unknown, null), (hello.ServerName, hello.Address));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1.", "192.0.2.1")]
    [InlineData("[2001:db8::1]", "2001:db8::1")]
    [InlineData("2001:DB8:0::1", "2001:db8::1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("fe80::1%eth0", "fe80::1")]
    public void Read_Address_CountsAsNoName(string sent, string expected)
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For(sent), out var hello));
        Assert.Equal((null, System.Net.IPAddress.Parse(expected)), (hello.ServerName, hello.Address));
    }

    [Fact]
    public void Read_UnknownNameType_CountsAsUnknown()
    {
        var builder = ClientHelloBuilder.For(null);
        builder.Extensions.Add((0, [0, 9, 7, 0, 6, .. "a.test"u8]));
        Assert.Equal(ClientHelloStatus.Complete, Read(builder, out var hello));
        Assert.Equal(HostName.Unknown, hello.ServerName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("000100")]
    [InlineData("00020000")]
    public void Read_NameExtensionCutShort_Malformed(string hex)
    {
        var builder = ClientHelloBuilder.For(null);
        builder.Extensions.Add((0, Convert.FromHexString(hex)));
        Assert.Equal(ClientHelloStatus.Malformed, Read(builder, out _));
    }

    [Theory]
    [InlineData(253, true)]
    [InlineData(254, false)]
    [InlineData(255, false)]
    [InlineData(300, false)]
    public void Read_LongName_BoundAt253(int length, bool allowed)
    {
        var name = string.Concat(Enumerable.Repeat("abcdefghi.", 40))[..(length - 1)] + "z";
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For(name), out var hello));
        Assert.Equal(allowed ? name : HostName.Unknown, hello.ServerName);
    }

    [Fact]
    public void Read_LongLabel_CountsAsUnknown()
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For(new string('a', 64) + ".test"), out var hello));
        Assert.Equal(HostName.Unknown, hello.ServerName);
    }

    [Fact]
    public void Read_TwoNames_Malformed()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.ServerNames.Add(Encoding.ASCII.GetBytes("b.test"));
        Assert.Equal(ClientHelloStatus.Malformed, Read(builder, out _));
    }

    [Fact]
    public void Read_NameExtensionTwice_Malformed()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.Extensions.Add((0, [0, 9, 0, 0, 6, .. "b.test"u8]));
        Assert.Equal(ClientHelloStatus.Malformed, Read(builder, out _));
    }

    [Fact]
    public void Read_NoExtensions_NoName()
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(new ClientHelloBuilder { WithoutExtensions = true }, out var hello));
        Assert.Null(hello.ServerName);
        Assert.Equal(KeyKinds.Rsa, hello.AcceptedKeys);
        Assert.False(hello.OffersTls13);
    }

    [Theory]
    [InlineData(true, "acme-tls/1")]
    [InlineData(false, "h2", "acme-tls/1")]
    [InlineData(false, "acme-tls/1", "h2")]
    [InlineData(false, "acme-tls/1", "acme-tls/1")]
    [InlineData(false, "acme-tls/2")]
    [InlineData(false)]
    public void Read_Alpn_OnlyExactlyAcmeTlsCounts(bool expected, params string[] alpn)
    {
        Assert.Equal(ClientHelloStatus.Complete, Read(ClientHelloBuilder.For("a.test", alpn), out var hello));
        Assert.Equal(expected, hello.IsAcmeTls);
    }

    [Theory]
    [InlineData(KeyKinds.EcdsaP256 | KeyKinds.Rsa, new ushort[] { 0x0403, 0x0804 }, new ushort[] { 0x0304 }, new ushort[] { 0x1301 })]
    [InlineData(KeyKinds.EcdsaP384, new ushort[] { 0x0503, 0x0807 }, new ushort[] { 0x0304 }, new ushort[] { 0x1301 })]
    [InlineData(KeyKinds.Rsa, new ushort[] { 0x0804 }, new ushort[] { 0x0304 }, new ushort[] { 0x1301 })]
    [InlineData(KeyKinds.Ecdsa | KeyKinds.Rsa, new ushort[] { 0x0403, 0x0401 }, new ushort[0], new ushort[] { 0xC02B, 0xC02F })]
    [InlineData(KeyKinds.Rsa, new ushort[] { 0x0403, 0x0401 }, new ushort[0], new ushort[] { 0xC02F })]
    [InlineData(KeyKinds.None, new ushort[] { 0x0807 }, new ushort[] { 0x0304 }, new ushort[] { 0x1301 })]
    public void Read_Schemes_AcceptedKeys(object expected, ushort[] schemes, ushort[] versions, ushort[] suites)
    {
        var builder = ClientHelloBuilder.For("a.test");
        (builder.SignatureAlgorithms, builder.Versions, builder.Suites) = (schemes, versions, suites);
        Assert.Equal(ClientHelloStatus.Complete, Read(builder, out var hello));
        Assert.Equal((KeyKinds)expected, hello.AcceptedKeys);
    }

    [Theory]
    [InlineData(
        KeyKinds.Ecdsa | KeyKinds.Rsa,
        KeyKinds.Ecdsa | KeyKinds.Rsa,
        new ushort[] { 0x0403, 0x0503, 0x0804, 0x0401 },
        new ushort[] { 0x1301, 0xC02B, 0xC02F },
        new ushort[] { 29, 23, 24 })]
    [InlineData(
        KeyKinds.EcdsaP256 | KeyKinds.Rsa,
        KeyKinds.Rsa,
        new ushort[] { 0x0403, 0x0804 },
        new ushort[] { 0x1301, 0xC02F },
        new ushort[] { 29, 23 })]
    [InlineData(
        KeyKinds.Ecdsa | KeyKinds.Rsa,
        KeyKinds.EcdsaP256 | KeyKinds.Rsa,
        new ushort[] { 0x0403, 0x0503, 0x0804 },
        new ushort[] { 0x1301, 0xC02B },
        new ushort[] { 29, 23 })]
    [InlineData(KeyKinds.EcdsaP256, KeyKinds.Rsa, new ushort[] { 0x0403, 0x0401 }, new ushort[] { 0x1301, 0xC02F }, new ushort[] { 23 })]
    public void Read_BothVersions_AcceptedKeysOfEach(object tls13, object below, ushort[] schemes, ushort[] suites, ushort[] groups)
    {
        var builder = ClientHelloBuilder.For("a.test");
        (builder.SignatureAlgorithms, builder.Suites, builder.Groups) = (schemes, suites, groups);
        Assert.Equal(ClientHelloStatus.Complete, Read(builder, out var hello));
        Assert.Equal(((KeyKinds)tls13, (KeyKinds)below), (hello.AcceptedKeys, hello.AcceptedBelowTls13));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4096)]
    [InlineData(3, 2)]
    [InlineData(64, 1)]
    [InlineData(16384, 1)]
    [InlineData(16384, 4096)]
    public void Read_AnyFragmentation_Same(int recordLength, int segmentLength)
    {
        var wire = ClientHelloBuilder.For("a.test", "acme-tls/1").Build(recordLength);
        var reader = new ClientHelloReader();
        for (var arrived = 1; arrived < wire.Length; arrived++)
        {
            Assert.Equal(
                ClientHelloStatus.Incomplete,
                reader.Read(ClientHelloMutator.Segment.Split(wire.AsMemory(0, arrived), segmentLength), out _));
        }

        Assert.Equal(ClientHelloStatus.Complete, reader.Read(ClientHelloMutator.Segment.Split(wire, segmentLength), out var hello));
        Assert.Equal(("a.test", true), (hello.ServerName, hello.IsAcmeTls));
    }

    [Theory]
    [InlineData("474554202F")]
    [InlineData("80")]
    [InlineData("00")]
    public void Read_OtherFirstByte_NotTls(string hex) => Assert.Equal(ClientHelloStatus.NotTls, Read(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("1603010000")] // a record of no bytes
    [InlineData("160301FFFF")] // a record too long
    [InlineData("1603018000")] // the length at which Kestrel's own listener throws
    [InlineData("160401")] // not a version of TLS
    [InlineData("160301000102")] // another message
    [InlineData("160301000401010001")] // a message over 64 KB
    public void Read_Broken_Malformed(string hex) => Assert.Equal(ClientHelloStatus.Malformed, Read(Convert.FromHexString(hex)));

    [Fact]
    public void Read_NearMaxLength_CompleteAndBeyondItMalformed()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.Extensions.Add((0x1234, new byte[60_000]));
        Assert.Equal(ClientHelloStatus.Complete, Read(builder, out _));

        builder.Suites = new ushort[5_000];
        Assert.Equal(ClientHelloStatus.Malformed, Read(builder.Build()));
    }

    [Fact]
    public void Read_EveryTruncationOfABody_NeverComplete()
    {
        var body = ClientHelloBuilder.For("a.test", "h2").Build()[9..];
        for (var length = 0; length < body.Length; length++)
        {
            var status = ClientHelloParser.Parse(body.AsSpan(0, length), out _);
            // A ClientHello of TLS 1.2 is complete without extensions.
            Assert.True(status == ClientHelloStatus.Malformed || length == 2 + 32 + 1 + 2 + 8 + 2, $"{length}: {status}");
        }
    }

    [Fact]
    public void Read_UnnamedClient_AllocatesNothing()
    {
        var sequence = new ReadOnlySequence<byte>(ClientHelloBuilder.For(null, "h2").Build());
        Read(sequence);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Read(sequence);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Read_Mutations_NothingThrowsAndPiecesAgree() => RunMutations(50_000);

    [Long]
    [Fact]
    public void Read_TwoMillionMutations_NothingThrowsAndPiecesAgree() => RunMutations(1_000_000);

    private static void RunMutations(int half)
    {
        // Two halves in parallel, because most machines have at least two cores.
        var wrong = new string?[2];
        Parallel.For(0, wrong.Length, which =>
        {
            var mutator = new ClientHelloMutator(20_260_101 + which);
            for (var i = 0; i < half && wrong[which] is null; i++)
            {
                wrong[which] = mutator.RunOne();
            }

            Assert.True(
                wrong[which] is not null || mutator.Counts.All(count => count > half / 1000), "The mutations do not reach every status.");
        });

        Assert.All(wrong, Assert.Null);
    }

    private static ClientHelloStatus Read(ClientHelloBuilder builder, out ClientHello hello) =>
        new ClientHelloReader().Read(new ReadOnlySequence<byte>(builder.Build()), out hello);

    private static ClientHelloStatus Read(byte[] wire) => Read(new ReadOnlySequence<byte>(wire));

    private static ClientHelloStatus Read(ReadOnlySequence<byte> sequence) => new ClientHelloReader().Read(sequence, out _);
}
