namespace KestrelAcme.Tls;

/// <summary>Which kind of key a signature scheme (RFC 8446 section 4.2.3) or a cipher suite goes with.</summary>
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

    /// <summary>Whether a scheme is RSASSA-PKCS1-v1_5, which TLS 1.3 has for certificates only (RFC 8446 section 4.2.3).</summary>
    public static bool IsPkcs1(ushort scheme) => scheme is 0x0401 or 0x0501 or 0x0601;

    /// <summary>Whether a TLS 1.2 list of cipher suites has one that authenticates by ECDSA.</summary>
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
    private static bool IsEcdsa(ushort suite) => suite is 0xC009 or 0xC00A or 0xC023 or 0xC024 or 0xC02B or 0xC02C or 0xCCA9 or (>= 0xC0AC and <= 0xC0AF);
}
