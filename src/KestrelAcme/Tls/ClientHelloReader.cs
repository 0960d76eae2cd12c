using System.Buffers;
using System.Buffers.Binary;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>
/// Finds the ClientHello in the first bytes of a connection, no matter how it is fragmented into records and buffer segments. Does not
/// consume any bytes.
/// </summary>
/// <remarks>Remembers how much it has scanned, so a client that sends byte by byte causes no extra work.</remarks>
internal struct ClientHelloReader
{
    /// <summary>The longest ClientHello that is accepted. Real ones are below 4 KB, including post-quantum key shares.</summary>
    public const int MaxLength = 64 * 1024;

    // A record with a single byte takes 6 bytes on the wire. No real client sends a long ClientHello in such records.
    private const int MaxBuffered = MaxLength + 16 * 1024;
    private const int RecordHeaderLength = 5;
    private const int HandshakeHeaderLength = 4;
    private const int MaxRecordLength = 16 * 1024;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;

    // The raw bytes of complete records scanned, the handshake bytes in them, and the length of the message (0 while unknown).
    private int _scanned;
    private int _gathered;
    private int _needed;

    /// <summary>Reads the ClientHello from all bytes received so far.</summary>
    public ClientHelloStatus Read(in ReadOnlySequence<byte> buffer, out ClientHello hello)
    {
        hello = default;
        var first = buffer.FirstSpan;
        if (first.IsEmpty)
        {
            return ClientHelloStatus.Incomplete;
        }

        if (first[0] != HandshakeRecord)
        {
            return ClientHelloStatus.NotTls;
        }

        return TryFindInOneRecord(first, out var body) ? ClientHelloParser.Parse(body, out hello) : ReadRecords(buffer, out hello);
    }

    // Nearly every ClientHello is one message in one record in one segment.
    private static bool TryFindInOneRecord(ReadOnlySpan<byte> first, out ReadOnlySpan<byte> body)
    {
        body = default;
        if (first.Length < RecordHeaderLength + HandshakeHeaderLength || first[1] != 3 || first[RecordHeaderLength] != ClientHelloMessage)
        {
            return false;
        }

        var record = BinaryPrimitives.ReadUInt16BigEndian(first[3..]);
        var length = MessageLength(first[RecordHeaderLength..]);
        if (record > MaxRecordLength || length > record - HandshakeHeaderLength || first.Length < RecordHeaderLength + record)
        {
            return false;
        }

        body = first.Slice(RecordHeaderLength + HandshakeHeaderLength, length);
        return true;
    }

    private ClientHelloStatus ReadRecords(in ReadOnlySequence<byte> buffer, out ClientHello hello)
    {
        hello = default;
        if (!TryScan(buffer))
        {
            return ClientHelloStatus.Malformed;
        }

        if (IsWhole)
        {
            return ParseGathered(buffer, _needed, out hello);
        }

        return buffer.Length > MaxBuffered ? ClientHelloStatus.Malformed : ClientHelloStatus.Incomplete;
    }

    private readonly bool IsWhole => _needed > 0 && _gathered >= _needed;

    private readonly ClientHelloStatus ParseGathered(in ReadOnlySequence<byte> buffer, int length, out ClientHello hello)
    {
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Gather(buffer, rented.AsSpan(0, length));
            return ClientHelloParser.Parse(rented.AsSpan(HandshakeHeaderLength, length - HandshakeHeaderLength), out hello);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    // Scans the complete records that arrived since the last call, up to the end of the message.
    private bool TryScan(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[RecordHeaderLength];
        var rest = buffer.Slice(_scanned);
        while (!rest.IsEmpty && !IsWhole)
        {
            var have = (int)Math.Min(rest.Length, RecordHeaderLength);
            rest.Slice(0, have).CopyTo(header);
            if (header[0] != HandshakeRecord || (have > 1 && header[1] != 3))
            {
                return false;
            }

            if (have < RecordHeaderLength)
            {
                return true;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
            if (length is 0 or > MaxRecordLength)
            {
                return false;
            }

            if (rest.Length < RecordHeaderLength + length)
            {
                return true;
            }

            _gathered += length;
            _scanned += RecordHeaderLength + length;
            rest = rest.Slice(RecordHeaderLength + length);
            if (!TryReadMessageHeader(buffer))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryReadMessageHeader(in ReadOnlySequence<byte> buffer)
    {
        if (_needed > 0)
        {
            return true;
        }

        Span<byte> header = stackalloc byte[HandshakeHeaderLength];
        var known = Gather(buffer, header);
        if (header[0] != ClientHelloMessage)
        {
            return false;
        }

        if (known == HandshakeHeaderLength)
        {
            _needed = HandshakeHeaderLength + MessageLength(header);
        }

        return _needed <= HandshakeHeaderLength + MaxLength;
    }

    // Copies the handshake bytes of the scanned records, as many as fit.
    private readonly int Gather(in ReadOnlySequence<byte> buffer, Span<byte> target)
    {
        Span<byte> header = stackalloc byte[RecordHeaderLength];
        var rest = buffer.Slice(0, _scanned);
        var copied = 0;
        while (!rest.IsEmpty && copied < target.Length)
        {
            rest.Slice(0, RecordHeaderLength).CopyTo(header);
            var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
            var take = Math.Min(length, target.Length - copied);
            rest.Slice(RecordHeaderLength, take).CopyTo(target[copied..]);
            copied += take;
            rest = rest.Slice(RecordHeaderLength + length);
        }

        return copied;
    }

    private static int MessageLength(ReadOnlySpan<byte> header) => (header[1] << 16) | (header[2] << 8) | header[3];
}

/// <summary>The parts of a ClientHello (RFC 8446 section 4.1.2) that decide what is served.</summary>
/// <param name="ServerName">
/// The name in lower case without a trailing dot; <see langword="null"/> if the client sent none or an IP address;
/// <see cref="HostName.Unknown"/> if it sent something else.
/// </param>
/// <param name="Address">The IP address that the client sent as its server name.</param>
/// <param name="IsAcmeTls">Whether the ALPN list is exactly <c>acme-tls/1</c> (RFC 8737).</param>
/// <param name="AcceptedKeys">The kinds of certificate keys that the client can verify in the highest TLS version it offers.</param>
/// <param name="AcceptedBelowTls13">
/// The same for TLS 1.2, to which an endpoint may be limited; equal to <paramref name="AcceptedKeys"/> if the client offers only one
/// of the two versions.
/// </param>
/// <param name="OffersTls13">Whether TLS 1.3 is among the supported versions.</param>
internal readonly record struct ClientHello(
    string? ServerName, IPAddress? Address, bool IsAcmeTls, KeyKinds AcceptedKeys, KeyKinds AcceptedBelowTls13, bool OffersTls13);

/// <summary>The result of reading a ClientHello.</summary>
internal enum ClientHelloStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The ClientHello was read.</summary>
    Complete,

    /// <summary>The first byte is not the start of a TLS handshake.</summary>
    NotTls,

    /// <summary>The ClientHello is badly encoded or exceeds the limits.</summary>
    Malformed,
}
