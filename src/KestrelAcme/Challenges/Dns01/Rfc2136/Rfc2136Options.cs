using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Rfc2136;

/// <summary>Options for dynamic updates (RFC 2136) of a name server such as BIND, Knot or PowerDNS, signed with TSIG (RFC 8945).</summary>
public sealed class Rfc2136Options() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "Rfc2136";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(Server), Required: true)
            {
                Example = "192.0.2.1:53",
                Check = text => Rfc2136Server.TryParse(text, out _) ? null : "is not the address or name of a server",
            },
            new(nameof(TsigKeyName))
            {
                Example = "acme-update",
                Needs = nameof(TsigSecret),
                Check = text => DnsClient.DnsName.TryParse(text, out _) ? null : "is not a key name",
            },
            new(nameof(TsigAlgorithm))
            {
                Example = "hmac-sha256",
                Check = text => TsigAlgorithms.TryParse(text, out _) ? null : "is not one of hmac-sha256, hmac-sha512",
            },
            new(nameof(TsigSecret), Secret: true)
            {
                Example = "the secret as it is in the server's key statement",
                Needs = nameof(TsigKeyName),
                Check = text => Convert.TryFromBase64String(text, new byte[text.Length], out var length) && length > 0
                    ? null
                    : "is not base64 (the value is not shown, it is a secret)",
            },
        ]);

    /// <summary>The zone's primary server: an IP address or a host name, with a port if it is not 53.</summary>
    /// <value>None: required.</value>
    public string? Server { get => Get(nameof(Server)); set => Set(nameof(Server), value); }

    /// <summary>The name of the TSIG key on the server.</summary>
    /// <value>None: updates are not signed, for a server that trusts this machine's address.</value>
    public string? TsigKeyName { get => Get(nameof(TsigKeyName)); set => Set(nameof(TsigKeyName), value); }

    /// <summary>The TSIG algorithm: <c>hmac-sha256</c> or <c>hmac-sha512</c>.</summary>
    /// <value><c>hmac-sha256</c>.</value>
    public string? TsigAlgorithm { get => Get(nameof(TsigAlgorithm)); set => Set(nameof(TsigAlgorithm), value); }

    /// <summary>The TSIG secret in base64. Do not keep it in files under version control.</summary>
    /// <value>None. With a key name, set this or <see cref="TsigSecretFile"/>.</value>
    public string? TsigSecret { get => Get(nameof(TsigSecret)); set => Set(nameof(TsigSecret), value); }

    /// <summary>A file that contains the TSIG secret. Relative paths are resolved against the content root.</summary>
    /// <value>None.</value>
    public string? TsigSecretFile { get => Get(nameof(TsigSecretFile)); set => Set(nameof(TsigSecretFile), value); }
}
