using System.Net;

namespace KestrelAcme.Tls;

/// <summary>
/// Parses the body of a ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Unknown extensions and values, including GREASE
/// (RFC 8701), are ignored.
/// </summary>
internal static class ClientHelloParser
{
    private const int VersionAndRandomLength = 34;
    private const ushort ServerNameExtension = 0;
    private const ushort SupportedGroupsExtension = 10;
    private const ushort SignatureAlgorithmsExtension = 13;
    private const ushort AlpnExtension = 16;
    private const ushort SupportedVersionsExtension = 43;
    private const ushort Tls13 = 0x0304;
    private const ushort Tls12 = 0x0303;
    private const byte HostNameType = 0;
    private const ushort GroupP256 = 23;
    private const ushort GroupP384 = 24;

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

        if (!TryReadExtensions(extensions, out var found) || !TryReadServerName(found.ServerName, out var name, out var address))
        {
            return ClientHelloStatus.Malformed;
        }

        var below = AcceptedBelowTls13(found, suites);
        var accepted = found.OffersTls13 ? AcceptedByTls13(found) : below;
        below = found.OffersTls13 && !found.OffersTls12 ? accepted : below;
        hello = new ClientHello(name, address, IsAcmeTls(found.Alpn), accepted, below, found.OffersTls13);
        return ClientHelloStatus.Complete;
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
                // Neither a duplicate nor an empty list is allowed (RFC 6066 section 3).
                return found.ServerName.IsEmpty && !data.IsEmpty
                    && bytes.TryReadVector16(out found.ServerName) && bytes.IsEmpty && !found.ServerName.IsEmpty;
            case SupportedGroupsExtension:
                return bytes.TryReadVector16(out found.Groups) && bytes.IsEmpty && found.Groups.Length % 2 == 0;
            case AlpnExtension:
                return found.Alpn.IsEmpty && bytes.TryReadVector16(out found.Alpn) && bytes.IsEmpty && IsListOfNames(found.Alpn);
            case SignatureAlgorithmsExtension:
                return bytes.TryReadVector16(out found.SignatureAlgorithms) && bytes.IsEmpty && found.SignatureAlgorithms.Length % 2 == 0;
            case SupportedVersionsExtension:
                return bytes.TryReadVector8(out var versions) && bytes.IsEmpty && versions.Length % 2 == 0
                    && SetVersions(versions, ref found);
            default:
                return true;
        }
    }

    private static bool SetVersions(ReadOnlySpan<byte> versions, ref Extensions found)
    {
        (found.OffersTls13, found.OffersTls12) = (ContainsPair(versions, Tls13), ContainsPair(versions, Tls12));
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

    private static bool IsAcmeTls(ReadOnlySpan<byte> alpn)
        => alpn.Length > 1 && alpn[1..].SequenceEqual("acme-tls/1"u8) && alpn[0] == alpn.Length - 1;

    // Exactly one entry of type host_name. Two would be ambiguous, and the format of other types is undefined (RFC 6066 section 3).
    private static bool TryReadServerName(ReadOnlySpan<byte> list, out string? name, out IPAddress? address)
    {
        (name, address) = (null, null);
        if (list.IsEmpty)
        {
            return true;
        }

        var bytes = new TlsBytes(list);
        var host = default(ReadOnlySpan<byte>);
        if (!bytes.TryReadByte(out var type) || (type == HostNameType && !(bytes.TryReadVector16(out host) && bytes.IsEmpty)))
        {
            return false;
        }

        if (type != HostNameType || (!HostName.TryRead(host, out name) && !HostName.TryReadAddress(host, out address)))
        {
            name = HostName.Unknown;
        }

        return true;
    }

    // In TLS 1.3 the signature algorithms alone decide, and PKCS #1 signatures are not allowed in a handshake.
    private static KeyKinds AcceptedByTls13(in Extensions found)
    {
        var kinds = KeyKinds.None;
        for (var i = 0; i < found.SignatureAlgorithms.Length; i += 2)
        {
            var scheme = (ushort)((found.SignatureAlgorithms[i] << 8) | found.SignatureAlgorithms[i + 1]);
            kinds |= SignatureSchemes.IsPkcs1(scheme) ? KeyKinds.None : SignatureSchemes.KeyOf(scheme);
        }

        return kinds;
    }

    // Before TLS 1.3 a signature scheme names only the hash. The groups limit the curve of the certificate's key (RFC 8422 section 5.1),
    // and the cipher suites matter, too.
    private static KeyKinds AcceptedBelowTls13(in Extensions found, ReadOnlySpan<byte> suites)
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

        if ((kinds & KeyKinds.Ecdsa) == 0 || !SignatureSchemes.OffersEcdsaSuite(suites))
        {
            return kinds & KeyKinds.Rsa;
        }

        return (kinds & KeyKinds.Rsa)
            | (found.Groups.IsEmpty || ContainsPair(found.Groups, GroupP256) ? KeyKinds.EcdsaP256 : KeyKinds.None)
            | (found.Groups.IsEmpty || ContainsPair(found.Groups, GroupP384) ? KeyKinds.EcdsaP384 : KeyKinds.None);
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
        public ReadOnlySpan<byte> Groups;
        public bool OffersTls13;
        public bool OffersTls12;
    }
}

/// <summary>Maps signature schemes (RFC 8446 section 4.2.3) and cipher suites to kinds of keys.</summary>
internal static class SignatureSchemes
{
    public static KeyKinds KeyOf(ushort scheme) => scheme switch
    {
        0x0403 => KeyKinds.EcdsaP256,
        0x0503 => KeyKinds.EcdsaP384,
        // rsa_pkcs1_sha256/384/512 and rsa_pss_rsae_sha256/384/512
        0x0401 or 0x0501 or 0x0601 or 0x0804 or 0x0805 or 0x0806 => KeyKinds.Rsa,
        _ => KeyKinds.None,
    };

    /// <summary>Whether a scheme is RSASSA-PKCS1-v1_5, which TLS 1.3 allows in certificates only (RFC 8446 section 4.2.3).</summary>
    public static bool IsPkcs1(ushort scheme) => scheme is 0x0401 or 0x0501 or 0x0601;

    /// <summary>Whether a TLS 1.2 list of cipher suites contains a suite that authenticates with ECDSA.</summary>
    public static bool OffersEcdsaSuite(ReadOnlySpan<byte> suites)
    {
        for (var i = 0; i + 1 < suites.Length; i += 2)
        {
            if (IsEcdsa((ushort)((suites[i] << 8) | suites[i + 1])))
            {
                return true;
            }
        }

        return false;
    }

    // ECDHE_ECDSA with AES-CBC, AES-GCM, ChaCha20-Poly1305, AES-CCM.
    private static bool IsEcdsa(ushort suite)
        => suite is 0xC009 or 0xC00A or 0xC023 or 0xC024 or 0xC02B or 0xC02C or 0xCCA9 or (>= 0xC0AC and <= 0xC0AF);
}
