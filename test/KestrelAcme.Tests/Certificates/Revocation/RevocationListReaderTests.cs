using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Protocol.Certificates;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Revocation;

/// <summary>Lists as hostile and careless issuers write them.</summary>
public sealed class RevocationListReaderTests : IDisposable
{
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";
    private static readonly Uri Source = new("http://crl.test/list.crl");
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _issuer;

    public RevocationListReaderTests()
    {
        var request = new CertificateRequest("CN=Issuer", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _issuer = request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(1));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_ListOfDotNet_FindsWhatIsOnIt()
    {
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry([0x01], Now);
        builder.AddEntry([0x0A], Now.AddHours(-1), X509RevocationReason.KeyCompromise);

        var list = await ReadAsync(builder.Build(_issuer, 17, Now.AddDays(9), HashAlgorithmName.SHA256, thisUpdate: Now), "0A", "0B");

        Assert.Equal([new RevokedEntry("0A", Now.AddHours(-1), RevocationReason.KeyCompromise)], list.Revoked);
        Assert.Equal(17, list.Number);
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(21, false)]
    [InlineData(30_000, false)]
    public async Task Read_LongNumber_IsRefusedUnread(int octets, bool isRead)
    {
        var number = Enumerable.Repeat((byte)0x7F, octets).ToArray();
        var list = Signed(writer => WriteExtensions(writer, ("2.5.29.20", n => n.WriteInteger(number))));

        if (isRead)
        {
            Assert.NotNull((await ReadAsync(list, "0A")).Number);
            return;
        }

        Assert.Contains($"its number has {octets} octets", (await RefusedAsync(list)).Message, StringComparison.Ordinal);
    }

    /// <summary>Four megabytes of digits, none of which is converted to a number or kept.</summary>
    [Fact]
    public async Task Read_NumberOfFourMegabytes_IsRefusedUnread()
        => await RefusedAsync(Signed(writer
            => WriteExtensions(writer, ("2.5.29.20", n => n.WriteInteger(Enumerable.Repeat((byte)0x7F, 4_000_000).ToArray())))));

    [Fact]
    public async Task Read_NegativeNumber_IsRefused()
        => Assert.Contains("negative",
            (await RefusedAsync(Signed(writer => WriteExtensions(writer, ("2.5.29.20", n => n.WriteInteger(-1)))))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(new byte[] { 1 }, RevocationReason.KeyCompromise)]
    [InlineData(new byte[] { 10 }, RevocationReason.AaCompromise)]
    [InlineData(new byte[] { 7 }, null)]
    [InlineData(new byte[] { 11 }, null)]
    [InlineData(new byte[] { 0x7F, 0xFF, 0xFF, 0xFF, 0xFF }, null)]
    [InlineData(new byte[] { 0x80 }, null)]
    public async Task Read_ReasonOfAnyLength_DoesNotHideTheRevocation(byte[] code, RevocationReason? expected)
    {
        var list = Signed(Entries(entry =>
        {
            entry.WriteInteger(10);
            entry.WriteUtcTime(Now);
            WriteSequence(entry, "2.5.29.21", value => value.WriteEnumeratedValueOf(code));
        }));

        Assert.Equal(new RevokedEntry("0A", Now, expected), Assert.Single((await ReadAsync(list, "0A")).Revoked));
    }

    [Fact]
    public async Task Read_InvalidRestOfAnEntry_IsStillRevoked()
    {
        var noTime = Signed(Entries(entry =>
        {
            entry.WriteInteger(10);
            entry.WriteNull();
        }));
        var oddExtensions = Signed(Entries(entry =>
        {
            entry.WriteInteger(10);
            entry.WriteUtcTime(Now.AddHours(-1));
            entry.WriteNull();
        }));

        Assert.Equal(new RevokedEntry("0A", Now, null), Assert.Single((await ReadAsync(noTime, "0A")).Revoked));
        Assert.Equal(new RevokedEntry("0A", Now.AddHours(-1), null), Assert.Single((await ReadAsync(oddExtensions, "0A")).Revoked));
    }

    [Fact]
    public async Task Read_EntryTwice_IsFoundOnce()
    {
        Action<AsnWriter> entry = e =>
        {
            e.WriteInteger(10);
            e.WriteUtcTime(Now);
        };

        Assert.Single((await ReadAsync(Signed(Entries(entry, entry)), "0A")).Revoked);
    }

    [Fact]
    public async Task Read_ChangedAfterSigning_IsRefused()
    {
        var list = Signed(Entries(e =>
        {
            e.WriteInteger(10);
            e.WriteUtcTime(Now);
        }));
        for (var i = 0; i < list.Length; i++)
        {
            var changed = (byte[])list.Clone();
            changed[i] ^= 0x01;
            await RefusedAsync(changed);
        }
    }

    [Fact]
    public async Task Read_OddOctets_EndInOurException()
    {
        var random = new Random(20261126);
        var good = Signed(WriteAll);
        for (var i = 0; i < 3000; i++)
        {
            var list = (byte[])good.Clone();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                list[random.Next(list.Length)] = (byte)random.Next(256);
            }

            await RefusedOrReadAsync(i % 3 == 0 ? list[..random.Next(list.Length)] : list);
        }
    }

    /// <summary>The signed fields, which a hostile issuer can choose.</summary>
    [Fact]
    public async Task Read_OddOctetsThatAreSigned_EndInOurException()
    {
        var random = new Random(20261127);
        var good = ToBeSigned(WriteAll);
        for (var i = 0; i < 2000; i++)
        {
            var signed = (byte[])good.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                // Except the outermost length, without which nothing is read at all.
                signed[random.Next(4, signed.Length)] = (byte)random.Next(256);
            }

            await RefusedOrReadAsync(Sign(signed));
        }
    }

    /// <summary>A list of 60 MB, nothing of which is kept.</summary>
    [Fact]
    public async Task Read_LongList_TakesNoMemory()
    {
        const int count = 2_400_000;
        await using var stream = new LongList(count, _issuer.SubjectName.RawData);
        var serials = new HashSet<string>(["0A"]);
        await ReadStreamAsync(new LongList(10, _issuer.SubjectName.RawData),
            serials); // What is compiled and allocated once is not counted.

        // All data is available at once, so everything runs on this thread.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var thread = Environment.CurrentManagedThreadId;
        await ReadStreamAsync(stream, serials);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        Assert.True(stream.Position > 59_000_000, $"{stream.Position} bytes were read.");
        Assert.True(allocated < 1_000_000, $"{allocated} bytes were allocated for a list of {stream.Position}.");
    }

    public void Dispose()
    {
        _issuer.Dispose();
        _key.Dispose();
    }

    private static void WriteAll(AsnWriter writer)
    {
        Entries(e =>
        {
            e.WriteInteger(10);
            e.WriteUtcTime(Now);
            WriteSequence(e, "2.5.29.21", value => value.WriteEnumeratedValueOf([1]));
        })(writer);
        WriteExtensions(
            writer,
            ("2.5.29.20", n => n.WriteInteger(7)),
            ("2.5.29.28", n =>
            {
                using (n.PushSequence())
                using (n.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (n.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                {
                    n.WriteCharacterString(UniversalTagNumber.IA5String, Source.AbsoluteUri, new Asn1Tag(TagClass.ContextSpecific, 6));
                }
            }));
    }

    private static Action<AsnWriter> Entries(params Action<AsnWriter>[] entries) => writer =>
    {
        using (writer.PushSequence())
        {
            foreach (var entry in entries)
            {
                using (writer.PushSequence())
                {
                    entry(writer);
                }
            }
        }
    };

    private static void WriteExtensions(AsnWriter writer, params (string Oid, Action<AsnWriter> Value)[] extensions)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (writer.PushSequence())
        {
            foreach (var (oid, value) in extensions)
            {
                WriteExtension(writer, oid, value);
            }
        }
    }

    private static void WriteSequence(AsnWriter writer, string oid, Action<AsnWriter> value)
    {
        using (writer.PushSequence())
        {
            WriteExtension(writer, oid, value);
        }
    }

    private static void WriteExtension(AsnWriter writer, string oid, Action<AsnWriter> value)
    {
        var inner = new AsnWriter(AsnEncodingRules.DER);
        value(inner);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            writer.WriteOctetString(inner.Encode());
        }
    }

    private static void WriteAlgorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(EcdsaWithSha256);
        }
    }

    private byte[] Signed(Action<AsnWriter> rest) => Sign(ToBeSigned(rest));

    private byte[] ToBeSigned(Action<AsnWriter> rest)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            WriteAlgorithm(writer);
            writer.WriteEncodedValue(_issuer.SubjectName.RawData);
            writer.WriteUtcTime(Now);
            writer.WriteUtcTime(Now.AddDays(9));
            rest(writer);
        }

        return writer.Encode();
    }

    private byte[] Sign(byte[] signed)
    {
        var end = new AsnWriter(AsnEncodingRules.DER);
        WriteAlgorithm(end);
        end.WriteBitString(_key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        var content = signed.Length + end.GetEncodedLength();
        return [0x30, 0x84, (byte)(content >> 24), (byte)(content >> 16), (byte)(content >> 8), (byte)content, .. signed, .. end.Encode()];
    }

    private Task<RevocationList> ReadAsync(byte[] list, params string[] serialNumbers)
        => RevocationListReader.ReadAsync(new MemoryStream(list), _issuer, Source, serialNumbers.ToHashSet(StringComparer.Ordinal),
            Cancelled);

    private Task<UnusableRevocationListException> RefusedAsync(byte[] list)
        => Assert.ThrowsAsync<UnusableRevocationListException>(() => ReadAsync(list, "0A"));

    private async Task RefusedOrReadAsync(byte[] list)
    {
        try
        {
            await ReadAsync(list, "0A");
        }
        catch (UnusableRevocationListException)
        {
            // As it should be.
        }
    }

    private Task<UnusableRevocationListException> ReadStreamAsync(Stream stream, HashSet<string> serialNumbers)
        => Assert.ThrowsAsync<UnusableRevocationListException>(()
            => RevocationListReader.ReadAsync(stream, _issuer, Source, serialNumbers, Cancelled));

    /// <summary>A list with many entries and without a good signature, made while it is read.</summary>
    private sealed class LongList : Stream
    {
        private static readonly byte[] Entry = [0x30, 0x17, 0x02, 0x04, 0x11, 0x22, 0x33, 0x44, 0x17, 0x0D, .. "261121120000Z"u8, 0x30,
            0x00];
        private readonly byte[] _head;
        private readonly long _length;

        public LongList(int count, byte[] issuer)
        {
            var entries = (long)count * Entry.Length;
            byte[] fields = [0x02, 0x01, 0x01, 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02, .. issuer, 0x17,
                0x0D, .. "261121120000Z"u8];
            byte[] tail = [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02, 0x03, 0x02, 0x00, 0x00];
            byte[] list = [0x30, 0x84, .. LengthOf(entries)];
            byte[] signed = [0x30, 0x84, .. LengthOf(fields.Length + list.Length + entries)];
            _head = [0x30, 0x84, .. LengthOf(signed.Length + fields.Length + list.Length + entries + tail.Length), .. signed, .. fields,
                .. list];
            _length = _head.Length + entries + tail.Length;
            Tail = tail;
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => _length;

        public override long Position { get; set; }

        private byte[] Tail { get; }

        public override int Read(Span<byte> buffer)
        {
            var count = 0;
            for (; count < buffer.Length && Position < _length; count++, Position++)
            {
                buffer[count] = Position < _head.Length ? _head[Position]
                    : Position >= _length - Tail.Length ? Tail[Position - (_length - Tail.Length)]
                    : Entry[(Position - _head.Length) % Entry.Length];
            }

            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(Read(buffer.Span));

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static byte[] LengthOf(long length) => [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];
    }
}

internal static class AsnWriterExtensions
{
    /// <summary>Writes an ENUMERATED of any length.</summary>
    public static void WriteEnumeratedValueOf(this AsnWriter writer, byte[] content)
        => writer.WriteEncodedValue([0x0A, (byte)content.Length, .. content]);
}
