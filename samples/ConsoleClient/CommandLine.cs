using System.Globalization;
using KestrelAcme.Protocol.Identifiers;

namespace ConsoleClient;

/// <summary>The parsed command line.</summary>
internal sealed record CommandLine
{
    public const string Usage = """
        Gets a certificate from an ACME CA with the http-01 challenge.

          ConsoleClient --directory URL --domain NAME [--domain NAME ...] --accept-terms [options]

          --directory URL       URL of the CA's directory, such as https://acme-staging-v02.api.letsencrypt.org/directory
          --domain NAME         domain name or IP address; can be repeated
          --accept-terms        accept the CA's terms of service
          --email ADDRESS       e-mail address for notices from the CA
          --http-port PORT      port that responds to the challenge (default 80); the CA always connects to port 80
          --trusted-roots FILE  PEM file with the roots of a private CA's own HTTPS
          --out FOLDER          folder for account-key.pem, privkey.pem and fullchain.pem (default .)
          --profile NAME        certificate profile of the CA
          --chain NAME          common name of the preferred issuer
          --eab-key-id ID       key identifier of the external account binding; the HMAC key comes from the environment
                                variable ACME_EAB_HMAC_KEY
        """;

    private static readonly string[] Options =
        ["--directory", "--email", "--http-port", "--trusted-roots", "--out", "--profile", "--chain", "--eab-key-id"];

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

    /// <exception cref="ArgumentException">An option is missing, unknown or invalid.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var identifiers = new List<AcmeIdentifier>();
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            if (name == "--accept-terms")
            {
                values[name] = "";
                continue;
            }

            if (name != "--domain" && !Options.Contains(name))
            {
                throw new ArgumentException($"Unknown option {name}.");
            }

            var value = ++i < args.Count ? args[i] : throw new ArgumentException($"{name} needs a value.");
            if (name == "--domain")
            {
                identifiers.Add(AcmeIdentifier.Parse(value));
            }
            else
            {
                values[name] = value;
            }
        }

        return new CommandLine
        {
            DirectoryUrl = Uri.TryCreate(values.GetValueOrDefault("--directory"), UriKind.Absolute, out var url)
                ? url
                : throw new ArgumentException("--directory is missing or not a URL."),
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
