using System.Buffers;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds and checks the CAs: the list, or the options that are the shorthand for a list of one.</summary>
internal sealed class AuthorityReader(EnvironmentFacts facts, ProblemList problems)
{
    private readonly List<AuthoritySpecification> _authorities = [];
    private string? _commonEmail;

    /// <summary>Binds an element of the list.</summary>
    public static AuthorityOptions Bind(SectionReader reader)
    {
        var authority = new AuthorityOptions();
        reader.Text(nameof(authority.DirectoryUrl), value => authority.DirectoryUrl = value);
        reader.Text(nameof(authority.TrustedRootsPath), value => authority.TrustedRootsPath = value);
        reader.Nested(
            nameof(authority.ExternalAccountBinding),
            nested => authority.ExternalAccountBinding = ExternalAccountBindingReader.Bind(nested));
        reader.Text(nameof(authority.AccountKeyFile), value => authority.AccountKeyFile = value);
        reader.Text(nameof(authority.Profile), value => authority.Profile = value);
        reader.Text(nameof(authority.PreferredChain), value => authority.PreferredChain = value);
        reader.Text(nameof(authority.EmailAddress), value => authority.EmailAddress = value);
        return authority;
    }

    /// <summary>Returns the reason why a valid configuration has no CA, or <see langword="null"/> if it has one.</summary>
    public static string? WhyNone(AcmeHttpsOptions options, EnvironmentFacts facts)
        => IsNamed(options) || !facts.IsDevelopment
            ? null
            : "In Development, KestrelAcme uses a public CA only if the configuration names it. "
                + "Set AcmeHttps:DirectoryUrl to the URL of a local authority, or to 'LetsEncryptStaging'.";

    /// <summary>Reads all CAs.</summary>
    public EquatableArray<AuthoritySpecification> Read(AcmeHttpsOptions options)
    {
        _commonEmail = EmailAddressRules.Read(options.EmailAddress, nameof(options.EmailAddress), problems);
        if (options.Authorities is { Count: > 0 } list)
        {
            RefuseShorthand(options);
            for (var i = 0; i < list.Count; i++)
            {
                Add(list[i] ?? new AuthorityOptions(), $"Authorities:{i}:", options);
            }
        }
        else if (WhyNone(options, facts) is null)
        {
            Add(Shorthand(options), "", options);
        }

        return EquatableArray.From(_authorities);
    }

    private static bool IsNamed(AcmeHttpsOptions options)
        => options.Authorities is { Count: > 0 } || ScalarRules.NullIfEmpty(options.DirectoryUrl) is not null;

    private static AuthorityOptions Shorthand(AcmeHttpsOptions options) => new()
    {
        DirectoryUrl = ScalarRules.NullIfEmpty(options.DirectoryUrl) ?? WellKnownAuthorities.LetsEncrypt,
        TrustedRootsPath = options.TrustedRootsPath,
        ExternalAccountBinding = options.ExternalAccountBinding,
        AccountKeyFile = options.AccountKeyFile,
        Profile = options.Profile,
        PreferredChain = options.PreferredChain,
    };

    private void RefuseShorthand(AcmeHttpsOptions options)
    {
        (string Key, bool Given)[] scalars =
        [
            (nameof(options.DirectoryUrl), ScalarRules.NullIfEmpty(options.DirectoryUrl) is not null),
            (nameof(options.TrustedRootsPath), ScalarRules.NullIfEmpty(options.TrustedRootsPath) is not null),
            (nameof(options.ExternalAccountBinding), !ExternalAccountBindingReader.IsEmpty(options.ExternalAccountBinding)),
            (nameof(options.AccountKeyFile), ScalarRules.NullIfEmpty(options.AccountKeyFile) is not null),
            (nameof(options.Profile), ScalarRules.NullIfEmpty(options.Profile) is not null),
            (nameof(options.PreferredChain), ScalarRules.NullIfEmpty(options.PreferredChain) is not null),
        ];
        foreach (var (key, _) in scalars.Where(scalar => scalar.Given))
        {
            problems.Add(
                key, null, "is set in addition to Authorities, so it is unclear which of them it applies to",
                "Move it into the first element of Authorities");
        }
    }

    private void Add(AuthorityOptions options, string prefix, AcmeHttpsOptions all)
    {
        var email = EmailAddressRules.Read(options.EmailAddress, $"{prefix}EmailAddress", problems) ?? _commonEmail;
        var binding = ExternalAccountBindingReader.Read(options.ExternalAccountBinding, $"{prefix}ExternalAccountBinding", facts, problems);
        var accountKey = AccountKeyReader.Read(options.AccountKeyFile, $"{prefix}AccountKeyFile", facts, problems);
        var roots = TrustedRootsRules.Read(options.TrustedRootsPath, $"{prefix}TrustedRootsPath", facts, problems);
        if (DirectoryUrlRules.Read(options.DirectoryUrl, $"{prefix}DirectoryUrl", problems) is not { } url)
        {
            return;
        }

        var known = WellKnownAuthorities.FindByUrl(url);
        if (_authorities.Exists(authority => authority.DirectoryUrl == url))
        {
            problems.Add($"{prefix}DirectoryUrl", options.DirectoryUrl, "is listed twice", "Remove one of them");
        }

        CheckNeeds(known, options, prefix, all);
        _authorities.Add(new AuthoritySpecification
        {
            Id = DirectoryUrlRules.Id(url, known),
            DisplayName = known?.Name ?? url.AbsoluteUri,
            DirectoryUrl = url,
            IsPublic = WellKnownAuthorities.IsPublicHost(url),
            TrustedRootsPath = roots,
            ExternalAccountBinding = binding,
            AccountKey = accountKey,
            Profile = ScalarRules.NullIfEmpty(options.Profile),
            PreferredChain = ScalarRules.NullIfEmpty(options.PreferredChain),
            EmailAddress = email,
            StagingTwin = known?.StagingTwin is { } twin ? WellKnownAuthorities.FindByName(twin)?.DirectoryUrl : null,
        });
    }

    private void CheckNeeds(WellKnownAuthority? known, AuthorityOptions options, string prefix, AcmeHttpsOptions all)
    {
        if (known is null || all.Issuance != IssuanceMode.Automatic)
        {
            return;
        }

        if (known.NeedsExternalAccountBinding && ExternalAccountBindingReader.IsEmpty(options.ExternalAccountBinding))
        {
            problems.Add(
                $"{prefix}ExternalAccountBinding", null, $"is required by {known.Name}",
                $"Get a key identifier and an HMAC key from {known.Name}, and set KeyId and HmacKey");
        }

        // The text as written: an address that is not valid was reported already.
        if (known.NeedsEmailAddress && (ScalarRules.NullIfEmpty(options.EmailAddress) ?? ScalarRules.NullIfEmpty(all.EmailAddress)) is null)
        {
            problems.Add($"{prefix}EmailAddress", null, $"is required by {known.Name}", "Write the address for its notices");
        }
    }
}

/// <summary>Checks the syntax of an e-mail address. Whether it is required or accepted is up to the CA.</summary>
internal static class EmailAddressRules
{
    private const int MaxLength = 254;

    // RFC 8555 section 7.3 allows one address per contact URL, and no header fields ("?").
    private static readonly SearchValues<char> NotInLocalPart = SearchValues.Create(" @,;?<>\"\\()");

    /// <summary>Returns the address, or <see langword="null"/> if there is none, or after a problem.</summary>
    public static string? Read(string? text, string key, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(text) is not { } address)
        {
            return null;
        }

        if (address.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(key, address, "is a URL, not an e-mail address", $"Write '{address["mailto:".Length..]}'");
            return null;
        }

        if (!IsAddress(address))
        {
            problems.Add(key, address, "is not an e-mail address", "Write one address, such as 'admin@example.com'");
            return null;
        }

        return address;
    }

    private static bool IsAddress(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= MaxLength
            && at > 0
            && text.AsSpan(0, at).IndexOfAny(NotInLocalPart) < 0
            && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            && DomainNameParser.Parse(text[(at + 1)..]) is { IsSuccess: true, Identifier: { Kind: IdentifierKind.Dns, IsWildcard: false } };
    }
}
