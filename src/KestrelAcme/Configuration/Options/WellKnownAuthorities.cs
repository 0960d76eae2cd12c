namespace KestrelAcme.Configuration;

/// <summary>The public ACME authorities that can be named in <see cref="AcmeHttpsOptions.DirectoryUrl"/>. Names are compared without regard to case.</summary>
public static class WellKnownAuthorities
{
    /// <summary>Let's Encrypt, the default.</summary>
    public const string LetsEncrypt = "LetsEncrypt";

    /// <summary>The staging service of Let's Encrypt: untrusted certificates, generous limits.</summary>
    public const string LetsEncryptStaging = "LetsEncryptStaging";

    /// <summary>ZeroSSL. Needs an external account binding and an e-mail address.</summary>
    public const string ZeroSsl = "ZeroSsl";

    /// <summary>Google Trust Services. Needs an external account binding.</summary>
    public const string GoogleTrustServices = "GoogleTrustServices";

    /// <summary>SSL.com with an RSA chain. Needs an external account binding.</summary>
    public const string SslComRsa = "SslComRsa";

    /// <summary>SSL.com with an ECDSA chain. Needs an external account binding.</summary>
    public const string SslComEcc = "SslComEcc";

    /// <summary>Actalis. Needs an external account binding.</summary>
    public const string Actalis = "Actalis";

    private static readonly WellKnownAuthority[] Authorities =
    [
        new(LetsEncrypt, new("https://acme-v02.api.letsencrypt.org/directory"), false, false, LetsEncryptStaging),
        new(LetsEncryptStaging, new("https://acme-staging-v02.api.letsencrypt.org/directory"), false, false, null),
        new(ZeroSsl, new("https://acme.zerossl.com/v2/DV90"), true, true, null),
        new(GoogleTrustServices, new("https://dv.acme-v02.api.pki.goog/directory"), true, false, null),
        new(SslComRsa, new("https://acme.ssl.com/sslcom-dv-rsa"), true, false, null),
        new(SslComEcc, new("https://acme.ssl.com/sslcom-dv-ecc"), true, false, null),
        new(Actalis, new("https://acme-api.actalis.com/acme/directory"), true, false, null),
    ];

    /// <summary>All of them, the default first.</summary>
    internal static IReadOnlyList<WellKnownAuthority> All { get; } = Authorities.AsReadOnly();

    /// <summary>Finds an authority by its name.</summary>
    /// <returns>The authority, or <see langword="null"/> when the name is not known.</returns>
    internal static WellKnownAuthority? FindByName(string name)
        => Array.Find(Authorities, authority => string.Equals(authority.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds an authority by the URL of its directory.</summary>
    /// <returns>The authority, or <see langword="null"/> when the URL is not known.</returns>
    internal static WellKnownAuthority? FindByUrl(Uri directoryUrl)
    {
        // Asked for each of a hundred thousand certificates: without a delegate.
        foreach (var authority in Authorities)
        {
            if (authority.DirectoryUrl == directoryUrl)
            {
                return authority;
            }
        }

        return null;
    }

    /// <summary>Whether a directory is that of a staging service: its certificates are trusted by nobody.</summary>
    internal static bool IsStaging(Uri directoryUrl)
        => FindByUrl(directoryUrl) is { } authority && IsStaging(authority);

    private static bool IsStaging(WellKnownAuthority authority) => Array.Exists(Authorities, production => production.StagingTwin == authority.Name);

    /// <summary>Whether a directory is served by one of the public authorities, at whatever path.</summary>
    internal static bool IsPublicHost(Uri directoryUrl)
        => Array.Exists(Authorities, authority => string.Equals(authority.DirectoryUrl.IdnHost, directoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A public ACME authority that can be named instead of giving its URL.</summary>
/// <param name="Name">The name, as it is written in the configuration.</param>
/// <param name="DirectoryUrl">The URL of its directory.</param>
/// <param name="NeedsExternalAccountBinding">Whether it takes accounts only with an external account binding (RFC 8555 section 7.3.4).</param>
/// <param name="NeedsEmailAddress">Whether it takes accounts only with an e-mail address.</param>
/// <param name="StagingTwin">The name of its staging service, if it has one: same rules, untrusted certificates, generous limits.</param>
internal sealed record WellKnownAuthority(string Name, Uri DirectoryUrl, bool NeedsExternalAccountBinding, bool NeedsEmailAddress, string? StagingTwin);
