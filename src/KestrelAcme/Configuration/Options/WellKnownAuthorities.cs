namespace KestrelAcme.Configuration;

/// <summary>The public CAs that <see cref="AcmeHttpsOptions.DirectoryUrl"/> accepts by name. Names are case-insensitive.</summary>
public static class WellKnownAuthorities
{
    /// <summary>Let's Encrypt. The default.</summary>
    public const string LetsEncrypt = "LetsEncrypt";

    /// <summary>The staging environment of Let's Encrypt: untrusted certificates, generous rate limits.</summary>
    public const string LetsEncryptStaging = "LetsEncryptStaging";

    /// <summary>ZeroSSL. Requires an external account binding and an e-mail address.</summary>
    public const string ZeroSsl = "ZeroSsl";

    /// <summary>Google Trust Services. Requires an external account binding.</summary>
    public const string GoogleTrustServices = "GoogleTrustServices";

    /// <summary>SSL.com with an RSA chain. Requires an external account binding.</summary>
    public const string SslComRsa = "SslComRsa";

    /// <summary>SSL.com with an ECDSA chain. Requires an external account binding.</summary>
    public const string SslComEcc = "SslComEcc";

    /// <summary>Actalis. Requires an external account binding.</summary>
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

    /// <summary>All CAs, the default first.</summary>
    internal static IReadOnlyList<WellKnownAuthority> All { get; } = Authorities.AsReadOnly();

    /// <summary>Finds a CA by its name.</summary>
    /// <returns>The CA, or <see langword="null"/> if the name is unknown.</returns>
    internal static WellKnownAuthority? FindByName(string name)
        => Array.Find(Authorities, authority => string.Equals(authority.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds a CA by the URL of its directory.</summary>
    /// <returns>The CA, or <see langword="null"/> if the URL is unknown.</returns>
    internal static WellKnownAuthority? FindByUrl(Uri directoryUrl)
    {
        // Called for each of a hundred thousand certificates, so without a delegate.
        foreach (var authority in Authorities)
        {
            if (authority.DirectoryUrl == directoryUrl)
            {
                return authority;
            }
        }

        return null;
    }

    /// <summary>Whether a directory belongs to a staging environment, whose certificates no client trusts.</summary>
    internal static bool IsStaging(Uri directoryUrl)
        => FindByUrl(directoryUrl) is { } authority && IsStaging(authority);

    private static bool IsStaging(WellKnownAuthority authority)
        => Array.Exists(Authorities, production => production.StagingTwin == authority.Name);

    /// <summary>Whether one of the public CAs serves a directory, at any path.</summary>
    internal static bool IsPublicHost(Uri directoryUrl)
        => Array.Exists(
            Authorities,
            authority => string.Equals(authority.DirectoryUrl.IdnHost, directoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A internal CA that can be configured by name.</summary>
/// <param name="Name">The name in the configuration.</param>
/// <param name="DirectoryUrl">The URL of its directory.</param>
/// <param name="NeedsExternalAccountBinding">Whether accounts require an external account binding (RFC 8555 section 7.3.4).</param>
/// <param name="NeedsEmailAddress">Whether accounts require an e-mail address.</param>
/// <param name="StagingTwin">The name of its staging environment, if it has one: the same rules, untrusted certificates.</param>
internal sealed record WellKnownAuthority(
    string Name, Uri DirectoryUrl, bool NeedsExternalAccountBinding, bool NeedsEmailAddress, string? StagingTwin);
