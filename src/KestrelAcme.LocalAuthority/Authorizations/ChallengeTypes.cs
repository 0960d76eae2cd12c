using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>Which challenges an identifier may be proved with. Pure.</summary>
internal static class ChallengeTypes
{
    public const string Http01 = "http-01";
    public const string TlsAlpn01 = "tls-alpn-01";
    public const string Dns01 = "dns-01";
    public const string DnsAccount01 = "dns-account-01";
    public const string DnsPersist01 = "dns-persist-01";

    public static IReadOnlyList<string> For(Identifier identifier, bool wildcard) => (identifier.Type, wildcard) switch
    {
        (Identifier.Ip, _) => [Http01, TlsAlpn01],
        (_, true) => [Dns01, DnsAccount01, DnsPersist01],
        _ => [Http01, TlsAlpn01, Dns01, DnsAccount01, DnsPersist01],
    };
}
