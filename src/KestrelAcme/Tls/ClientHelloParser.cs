namespace KestrelAcme.Tls;

/// <summary>Reads the body of a ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Unknown extensions and values, GREASE (RFC 8701) among them, are skipped.</summary>
internal static class ClientHelloParser
{
    private const int VersionAndRandomLength = 34;
    private const ushort ServerNameExtension = 0;
    private const ushort SignatureAlgorithmsExtension = 13;
    private const ushort AlpnExtension = 16;
    private const ushort SupportedVersionsExtension = 43;
    private const ushort Tls13 = 0x0304;

    public static ClientHelloStatus Parse(ReadOnlySpan<byte> body, out ClientHello hello)
    {
        hello = default;
        var bytes = new TlsBytes(body);
        if (!bytes.TrySkip(VersionAndRandomLength)
            || !bytes.TryReadVector8(out var session) || session.Length > 32
            || !bytes.TryReadVector16(out var suites) || suites.IsEmpty || suites.Length % 2 != 0
            || !bytes.TryReadVector8(out var compression) || compression.IsEmpty)
        {
            return ClientHelloStatus.Malformed;
        }

        var extensions = default(ReadOnlySpan<byte>);
        if (!bytes.IsEmpty && (!bytes.TryReadVector16(out extensions) || !bytes.IsEmpty))
        {
            return ClientHelloStatus.Malformed;
        }

        if (!TryReadExtensions(extensions, out var found))
        {
            return ClientHelloStatus.Malformed;
        }

        var status = ReadServerName(found.ServerName, out var name);
        if (status == ClientHelloStatus.Complete)
        {
            hello = new ClientHello(name, IsAcmeTls(found.Alpn), AcceptedKeys(found, suites), found.OffersTls13);
        }

        return status;
    }

    private static bool TryReadExtensions(ReadOnlySpan<byte> extensions, out Extensions found)
    {
        found = default;
        var bytes = new TlsBytes(extensions);
        while (!bytes.IsEmpty)
        {
            if (!bytes.TryReadUInt16(out var type) || !bytes.TryReadVector16(out var data) || !TryKeep(type, data, ref found))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryKeep(ushort type, ReadOnlySpan<byte> data, ref Extensions found)
    {
        var bytes = new TlsBytes(data);
        switch (type)
        {
            case ServerNameExtension:
                // Twice, or present without a name: neither is allowed (RFC 6066 section 3).
                return found.ServerName.IsEmpty && !data.IsEmpty && bytes.TryReadVector16(out found.ServerName) && bytes.IsEmpty && !found.ServerName.IsEmpty;
            case AlpnExtension:
                return found.Alpn.IsEmpty && bytes.TryReadVector16(out found.Alpn) && bytes.IsEmpty && IsListOfNames(found.Alpn);
            case SignatureAlgorithmsExtension:
                return bytes.TryReadVector16(out found.SignatureAlgorithms) && bytes.IsEmpty && found.SignatureAlgorithms.Length % 2 == 0;
            case SupportedVersionsExtension:
                return bytes.TryReadVector8(out var versions) && bytes.IsEmpty && versions.Length % 2 == 0 && SetVersions(versions, ref found);
            default:
                return true;
        }
    }

    private static bool SetVersions(ReadOnlySpan<byte> versions, ref Extensions found)
    {
        found.OffersTls13 = ContainsPair(versions, Tls13);
        return true;
    }

    private static bool IsListOfNames(ReadOnlySpan<byte> list)
    {
        var bytes = new TlsBytes(list);
        while (!bytes.IsEmpty)
        {
            if (!bytes.TryReadVector8(out var name) || name.IsEmpty)
            {
                return false;
            }
        }

        return !list.IsEmpty;
    }

    private static bool IsAcmeTls(ReadOnlySpan<byte> alpn) => alpn.Length > 1 && alpn[1..].SequenceEqual("acme-tls/1"u8) && alpn[0] == alpn.Length - 1;

    // One entry of type host_name. Two are refused: which of them would a client mean?
    private static ClientHelloStatus ReadServerName(ReadOnlySpan<byte> list, out string? name)
    {
        name = null;
        if (list.IsEmpty)
        {
            return ClientHelloStatus.Complete;
        }

        var bytes = new TlsBytes(list);
        if (!bytes.TryReadByte(out var type) || type != 0 || !bytes.TryReadVector16(out var host) || !bytes.IsEmpty)
        {
            return ClientHelloStatus.Malformed;
        }

        return HostName.TryRead(host, out name) ? ClientHelloStatus.Complete : ClientHelloStatus.BadName;
    }

    // In TLS 1.2 the cipher suite decides too; TLS 1.3 goes by the signature algorithms alone.
    private static KeyKinds AcceptedKeys(in Extensions found, ReadOnlySpan<byte> suites)
    {
        if (found.SignatureAlgorithms.IsEmpty)
        {
            return KeyKinds.Rsa;
        }

        var kinds = KeyKinds.None;
        for (var i = 0; i < found.SignatureAlgorithms.Length; i += 2)
        {
            kinds |= SignatureSchemes.KeyOf((ushort)((found.SignatureAlgorithms[i] << 8) | found.SignatureAlgorithms[i + 1]));
        }

        if (found.OffersTls13)
        {
            return kinds;
        }

        // Before TLS 1.3 a scheme names the hash only, not the curve.
        var ecdsa = (kinds & KeyKinds.Ecdsa) != 0 && SignatureSchemes.OffersEcdsaSuite(suites) ? KeyKinds.Ecdsa : KeyKinds.None;
        return (kinds & KeyKinds.Rsa) | ecdsa;
    }

    private static bool ContainsPair(ReadOnlySpan<byte> pairs, ushort value)
    {
        for (var i = 0; i < pairs.Length; i += 2)
        {
            if (((pairs[i] << 8) | pairs[i + 1]) == value)
            {
                return true;
            }
        }

        return false;
    }

    private ref struct Extensions
    {
        public ReadOnlySpan<byte> ServerName;
        public ReadOnlySpan<byte> Alpn;
        public ReadOnlySpan<byte> SignatureAlgorithms;
        public bool OffersTls13;
    }
}
