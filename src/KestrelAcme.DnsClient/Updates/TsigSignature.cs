using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>The signature of a request, which the signature of its response includes (RFC 8945 section 5).</summary>
internal sealed class TsigSignature
{
    // RFC 8945 section 10 recommends five minutes.
    private const ushort Fudge = 300;
    private const int AdditionalCountAt = 10;

    private readonly TsigKey _key;
    private readonly byte[] _mac;

    private TsigSignature(TsigKey key, byte[] mac, byte[] signedRequest)
    {
        _key = key;
        _mac = mac;
        SignedRequest = signedRequest;
    }

    public byte[] SignedRequest { get; }

    public static TsigSignature Of(byte[] request, TsigKey key, DateTimeOffset now)
    {
        TsigRecord Record(byte[] mac) => new()
        {
            KeyName = key.Name,
            Algorithm = key.AlgorithmName,
            TimeSigned = now.ToUnixTimeSeconds(),
            Fudge = Fudge,
            Mac = mac,
            OriginalId = DnsHeader.Read(request).Id,
        };

        byte[] mac = Compute(key, requestMac: null, request, Record([]));
        var writer = new WireWriter();
        writer.Bytes(WithAdditionalCount(request, +1));
        writer.Record(key.Name, DnsRecordType.TSIG, TsigRecord.ClassAny, timeToLive: 0, Record(mac).ToData());
        return new TsigSignature(key, mac, writer.ToArray());
    }

    /// <summary>Verifies that the response is signed with the same key, for this request, and recently.</summary>
    /// <exception cref="TsigException">It is not, or the server rejected the signature of the request.</exception>
    public void Verify(IPEndPoint server, DnsMessage message, byte[] answer, DateTimeOffset now)
    {
        if (message.Tsig is not { } tsig)
        {
            throw new TsigException(server, _key, $"the response ({message.Code}) is not signed");
        }

        // Errors about the key are unsigned, because there is no key to sign them with: they can only be reported.
        if (tsig.Error is TsigError.BADKEY or TsigError.BADSIG or TsigError.BADTRUNC)
        {
            throw new TsigException(server, _key, Explain(tsig, now), tsig.Error);
        }

        byte[] unsigned = WithAdditionalCount(answer.AsSpan(0, tsig.Start), -1);
        BinaryPrimitives.WriteUInt16BigEndian(unsigned, tsig.OriginalId);
        if (tsig.KeyName != _key.Name || tsig.Algorithm != _key.AlgorithmName
            || !CryptographicOperations.FixedTimeEquals(Compute(_key, _mac, unsigned, tsig), tsig.Mac))
        {
            throw new TsigException(server, _key, "the signature of the response is invalid");
        }

        if (tsig.Error != TsigError.NOERROR)
        {
            throw new TsigException(server, _key, Explain(tsig, now), tsig.Error);
        }

        if (Math.Abs(now.ToUnixTimeSeconds() - tsig.TimeSigned) > Fudge)
        {
            string times = $"the response was signed at {Text(tsig.TimeSigned)}, but this machine's clock says {Text(now)}";
            throw new TsigException(server, _key, times);
        }
    }

    private static byte[] Compute(TsigKey key, byte[]? requestMac, byte[] message, TsigRecord record)
    {
        using IncrementalHash hmac = key.CreateHmac();
        if (requestMac is not null)
        {
            hmac.AppendData([(byte)(requestMac.Length >> 8), (byte)requestMac.Length]);
            hmac.AppendData(requestMac);
        }

        hmac.AppendData(message);
        hmac.AppendData(record.ToVariables());
        return hmac.GetHashAndReset();
    }

    private static byte[] WithAdditionalCount(ReadOnlySpan<byte> message, int change)
    {
        byte[] changed = message.ToArray();
        Span<byte> count = changed.AsSpan(AdditionalCountAt);
        BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(count) + change));
        return changed;
    }

    private static string Explain(TsigRecord tsig, DateTimeOffset now) => tsig.Error switch
    {
        TsigError.BADKEY => "BADKEY: the server does not know a key of this name and algorithm",
        TsigError.BADSIG => "BADSIG: the server has another secret for this key",
        TsigError.BADTIME => $"BADTIME: the server's clock says {ServerTime(tsig)}, but this machine's clock says {Text(now)}",
        TsigError.BADTRUNC => "BADTRUNC: the server requires a longer signature",
        _ => $"the server reports TSIG error {tsig.Error}",
    };

    // RFC 8945 section 5.2.3: the server's time is in the other data.
    private static string ServerTime(TsigRecord tsig) => tsig.OtherData is { Length: 6 } time
        ? Text(((long)BinaryPrimitives.ReadUInt16BigEndian(time) << 32) | BinaryPrimitives.ReadUInt32BigEndian(time.AsSpan(2)))
        : "something else";

    // 48 bits of seconds exceed the year 9999.
    private static string Text(long seconds) =>
        seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? Text(DateTimeOffset.FromUnixTimeSeconds(seconds)) : "after the year 9999";

    private static string Text(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC";
}
