using System.Globalization;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>The configuration of an app whose zones are in BIND.</summary>
internal static class BindSettings
{
    public static Dictionary<string, string?> For(BindServer bind, params (string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DnsProviders:0:Type"] = "Rfc2136",
            ["AcmeHttps:DnsProviders:0:Server"] = bind.Address.ToString(),
            ["AcmeHttps:DnsProviders:0:TsigKeyName"] = bind.TsigKeyName,
            ["AcmeHttps:DnsProviders:0:TsigSecret"] = bind.TsigSecret,
            ["AcmeHttps:DnsProviders:0:TsigAlgorithm"] = bind.TsigAlgorithm,
        };
        foreach (var (key, value) in more)
        {
            settings[$"AcmeHttps:DnsProviders:0:{key}"] = value;
        }

        return settings;
    }

    /// <summary>
    /// The configuration of an app that orders from a Pebble that uses the same BIND, for a separate process.
    /// </summary>
    public static Dictionary<string, string?> AtPebble(BindServer bind, PebbleServer pebble, string storagePath) => new(For(bind))
    {
        ["AcmeHttps:DirectoryUrl"] = pebble.DirectoryUrl.ToString(),
        ["AcmeHttps:TrustedRootsPath"] = pebble.TrustedRootsPath,
        ["AcmeHttps:StoragePath"] = storagePath,
        ["AcmeHttps:AcceptTermsOfService"] = "true",
        ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
        ["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString(),
        ["DNS_PORT"] = bind.Address.Port.ToString(CultureInfo.InvariantCulture),
    };
}
