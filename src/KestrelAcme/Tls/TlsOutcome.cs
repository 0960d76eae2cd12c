namespace KestrelAcme.Tls;

/// <summary>What is to become of a ClientHello.</summary>
internal enum TlsOutcome
{
    /// <summary>Not a name of ours: what the app configured itself, else a refusal.</summary>
    Foreign,

    /// <summary>
    /// No server name, and nothing says which certificate is meant: what the app configured itself, else our only certificate, else a
    /// refusal.
    /// </summary>
    Nameless,

    /// <summary>One of our certificates, or the placeholder for it.</summary>
    Certificate,

    /// <summary>A name of ours that has no certificate yet, and no placeholder is wanted.</summary>
    Missing,

    /// <summary>A validation by tls-alpn-01.</summary>
    Challenge,

    /// <summary>A ClientHello that cannot be read.</summary>
    Malformed,
}
