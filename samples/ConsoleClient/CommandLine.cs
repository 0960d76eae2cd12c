using System.Globalization;
using KestrelAcme.Protocol.Identifiers;

namespace ConsoleClient;

/// <summary>What the user asked for.</summary>
internal sealed record CommandLine
{
    public const string Usage = """
        Gets one certificate from an ACME authority by http-01.

          ConsoleClient --directory URL --domain NAME [--domain NAME ...] --accept-terms [options]

          --directory URL       the authority's directory, such as https://acme-staging-v02.api.letsencrypt.org/directory
          --domain NAME         a DNS name or an IP address; may be given several times
          --accept-terms        agree to the authority's terms of service
          --email ADDRESS       where the authority may write to
          --http-port PORT      where the challenge is answered (80); the authority itself always asks on port 80
          --trusted-roots FILE  roots (PEM) to trust for the HTTPS of a private authority
          --out FOLDER          where account-key.pem, privkey.pem and fullchain.pem go (.)
          --profile NAME        one of the authority's profiles
          --chain NAME          the common name of the preferred issuer
          --eab-key-id ID       external account binding; the HMAC key comes from the variable ACME_EAB_HMAC_KEY
        """;

    public required Uri DirectoryUrl { get; init; }

    public required IReadOnlyList<AcmeIdentifier> Identifiers { get; init; }

    public bool AcceptTerms { get; init; }

    public string? Email { get; init; }

    public int HttpPort { get; init; } = 80;

    public string? TrustedRoots { get; init; }

    public string OutFolder { get; init; } = ".";

    public string? Profile { get; init; }

    public string? Chain { get; init; }

    public string? ExternalAccountKeyId { get; init; }

    /// <exception cref="ArgumentException">Something is missing, unknown or wrong.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var identifiers = new List<AcmeIdentifier>();
        for (var i = 0; i < args.Count; i++)
        {
            var (name, value) = (args[i], args[i] == "--accept-terms" ? "" : i + 1 < args.Count ? args[++i] : throw new ArgumentException($"{args[i]} needs a value."));
            switch (name)
            {
                case "--domain":
                    identifiers.Add(AcmeIdentifier.Parse(value));
                    break;
                case "--directory" or "--accept-terms" or "--email" or "--http-port" or "--trusted-roots" or "--out" or "--profile" or "--chain" or "--eab-key-id":
                    values[name] = value;
                    break;
                default:
                    throw new ArgumentException($"Unknown option {name}.");
            }
        }

        return new CommandLine
        {
            DirectoryUrl = Uri.TryCreate(values.GetValueOrDefault("--directory"), UriKind.Absolute, out var url)
                ? url
                : throw new ArgumentException("--directory is missing or no URL."),
            Identifiers = identifiers.Count > 0 ? identifiers : throw new ArgumentException("--domain is missing."),
            AcceptTerms = values.ContainsKey("--accept-terms"),
            Email = values.GetValueOrDefault("--email"),
            HttpPort = ParsePort(values.GetValueOrDefault("--http-port", "80")),
            TrustedRoots = values.GetValueOrDefault("--trusted-roots"),
            OutFolder = values.GetValueOrDefault("--out", "."),
            Profile = values.GetValueOrDefault("--profile"),
            Chain = values.GetValueOrDefault("--chain"),
            ExternalAccountKeyId = values.GetValueOrDefault("--eab-key-id"),
        };
    }

    private static int ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw new ArgumentException($"--http-port {text} is not a port.");
}
