namespace KestrelAcme.Tls;

/// <summary>What is to become of a ClientHello.</summary>
internal enum TlsOutcome
{
    /// <summary>Not a name of ours: what the app configured itself, else a refusal.</summary>
    Foreign,

    /// <summary>One of our certificates, or the placeholder for it.</summary>
    Certificate,

    /// <summary>A name of ours that has no certificate yet, and no placeholder is wanted.</summary>
    Missing,

    /// <summary>A validation by tls-alpn-01.</summary>
    Challenge,

    /// <summary>A ClientHello that no certificate is looked for.</summary>
    Malformed,
}
