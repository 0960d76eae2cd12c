namespace KestrelAcme.Configuration.Names;

/// <summary>The kinds of identifier that a certificate can be asked for.</summary>
internal enum IdentifierKind
{
    /// <summary>A domain name.</summary>
    Dns,

    /// <summary>An IP address.</summary>
    Ip,
}
