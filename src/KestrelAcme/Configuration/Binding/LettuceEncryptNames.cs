using KestrelAcme.Configuration.Rules;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Reads the option names of LettuceEncrypt if they mean the same: in its own section, and in <c>AcmeHttps</c>. Names of KestrelAcme win.
/// </summary>
internal static class LettuceEncryptNames
{
    /// <summary>The section of LettuceEncrypt.</summary>
    public const string Section = "LettuceEncrypt";

    private const string Staging = "UseStagingServer";
    private const string ChallengeTypes = "AllowedChallengeTypes";
    private const string Credentials = "EabCredentials";
    private const string KeySize = "KeySize";
    private const string RenewDays = "RenewDaysInAdvance";
    private const string CheckPeriod = "RenewalCheckPeriod";
    private const string Issuers = "AdditionalIssuers";

    // Those that are names of KestrelAcme, too. Apps keep settings of their own in the section, which LettuceEncrypt ignores.
    private static readonly string[] OfSection =
    [
        nameof(AcmeHttpsOptions.DomainNames), nameof(AcmeHttpsOptions.AcceptTermsOfService), nameof(AcmeHttpsOptions.EmailAddress),
        nameof(AcmeHttpsOptions.KeyAlgorithm), Staging, ChallengeTypes, Credentials, KeySize, RenewDays, CheckPeriod, Issuers,
    ];

    /// <summary>
    /// Adds the settings of the section <c>LettuceEncrypt</c> to those of <c>AcmeHttps</c>, source by source, except settings that any
    /// source has in <c>AcmeHttps</c>: a list would be merged entry by entry otherwise.
    /// </summary>
    /// <returns>The names that were read there.</returns>
    public static IReadOnlyList<string> AddSection(List<ConfigurationLayer> layers)
    {
        List<string> found = [];
        HashSet<string>? own = null;
        for (var i = 0; i < layers.Count; i++)
        {
            var theirs = ConfigurationLayer.Read(layers[i].Provider, Section);
            if (theirs.Values.Count == 0)
            {
                continue;
            }

            own ??= layers.SelectMany(layer => layer.Values.Keys).Select(NameOf).ToHashSet(StringComparer.OrdinalIgnoreCase);
            var values = new Dictionary<string, string?>(layers[i].Values, StringComparer.OrdinalIgnoreCase);
            foreach (var (key, value) in theirs.Values)
            {
                var name = NameOf(key);
                if (!own.Contains(name) && OfSection.Contains(name, StringComparer.OrdinalIgnoreCase) && values.TryAdd(key, value))
                {
                    found.Add(name);
                }
            }

            layers[i] = layers[i].Values.Count == 0 ? theirs with { Values = values } : layers[i] with { Values = values };
        }

        return [.. found.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Binds the names of LettuceEncrypt, and notes for the operator what they are read as.</summary>
    public static void Bind(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Flag(Staging, value =>
        {
            // Where it is false, LettuceEncrypt uses production even in Development. KestrelAcme asks for a name there.
            var applies = value && string.IsNullOrWhiteSpace(options.DirectoryUrl) && options.Authorities.Count == 0;
            options.DirectoryUrl = applies ? WellKnownAuthorities.LetsEncryptStaging : options.DirectoryUrl;
            Note(options, Staging, applies ? $"is read as {nameof(options.DirectoryUrl)}: {options.DirectoryUrl}" : "has no effect");
        });
        reader.Text(ChallengeTypes, value => BindChallengeTypes(value, options));
        reader.Nested(Credentials, nested => BindCredentials(nested, options));
        reader.Number(KeySize, value => BindKeySize(value, options));
        reader.Text(RenewDays, _ => Note(
            options, RenewDays, "has no effect: KestrelAcme renews when the CA advises, or when a third of the lifetime is left"));
        reader.Text(CheckPeriod, _ => Note(options, CheckPeriod, "has no effect: KestrelAcme plans each renewal"));
        reader.Texts(Issuers, _ => Note(options, Issuers, "has no effect: KestrelAcme serves the chain that the CA sends"));
    }

    private static void BindChallengeTypes(string text, AcmeHttpsOptions options)
    {
        var types = new List<string>();
        foreach (var type in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            switch (type.ToUpperInvariant())
            {
                case "HTTP01":
                    types.Add("http-01");
                    break;
                case "TLSALPN01":
                    types.Add("tls-alpn-01");
                    break;
                case "DNS01":
                    types.Add("dns-01");
                    break;
                case "ANY":
                    types.AddRange(["http-01", "tls-alpn-01"]);
                    break;
                default:
                    Report(
                        options, ChallengeTypes, type, "is not one of Http01, TlsAlpn01, Dns01 and Any",
                        $"Write {nameof(options.ChallengeTypes)}, such as [\"http-01\"]");
                    return;
            }
        }

        options.ChallengeTypes ??= [.. types.Distinct(StringComparer.Ordinal)];
        Note(options, ChallengeTypes, $"is read as {nameof(options.ChallengeTypes)}: {string.Join(", ", options.ChallengeTypes)}");
    }

    private static void BindCredentials(SectionReader reader, AcmeHttpsOptions options)
    {
        var binding = new ExternalAccountBindingOptions();
        reader.Text("EabKeyId", value => binding.KeyId = value);

        // Other clients also accept plain base64.
        reader.Text("EabKey", value => binding.HmacKey = value.Replace('+', '-').Replace('/', '_').TrimEnd('='));
        reader.Text("EabKeyAlg", value =>
        {
            if (!value.Equals("HS256", StringComparison.OrdinalIgnoreCase))
            {
                Report(options, $"{Credentials}:EabKeyAlg", value, "is not supported", "Write HS256, or ask the CA for such a key");
            }
        });
        options.ExternalAccountBinding ??= binding;
        Note(options, Credentials, $"is read as {nameof(options.ExternalAccountBinding)}");
    }

    private static void BindKeySize(int size, AcmeHttpsOptions options)
    {
        if (options.KeyAlgorithm is KeyAlgorithm.EcdsaP256 or KeyAlgorithm.EcdsaP384)
        {
            Note(options, KeySize, "has no effect with an ECDSA key");
        }
        else if (Enum.TryParse<KeyAlgorithm>($"Rsa{size}", out var algorithm))
        {
            options.KeyAlgorithm = algorithm;
            Note(options, KeySize, $"is read as {nameof(options.KeyAlgorithm)}: {algorithm}");
        }
        else
        {
            Report(options, KeySize, $"{size}", "is not one of 2048, 3072 and 4096", "Write one of them, or remove the key");
        }
    }

    private static void Report(AcmeHttpsOptions options, string key, string value, string reason, string fix)
        => options.BindingProblems.Add(new ConfigurationProblem(ConfigurationKeys.Of(key), value, reason, fix));

    private static void Note(AcmeHttpsOptions options, string name, string meaning)
        => options.LettuceEncryptNotes.Add($"{name} {meaning}.");

    private static string NameOf(string key)
    {
        var rest = key.AsSpan(key.IndexOf(':', StringComparison.Ordinal) + 1);
        return rest[..(rest.IndexOf(':') is >= 0 and var end ? end : rest.Length)].ToString();
    }
}
