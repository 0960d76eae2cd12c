using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Directories;

/// <summary>The URLs of a CA's resources (RFC 8555 section 7.1.1). Only the directory's own URL is stable over time.</summary>
public sealed record AcmeDirectory
{
    private const int MaxCaaIdentities = 32;
    private const int MaxIssuerDomainNames = 32;
    private const int MaxProfiles = 64;
    private const int MaxNameLength = 255;
    private const int MaxTextLength = 1000;

    /// <summary>The URL of the directory, after redirects.</summary>
    public required Uri Url { get; init; }

    /// <summary>The URL for new nonces.</summary>
    public required Uri NewNonce { get; init; }

    /// <summary>The URL for new accounts.</summary>
    public required Uri NewAccount { get; init; }

    /// <summary>The URL for new orders.</summary>
    public required Uri NewOrder { get; init; }

    /// <summary>The URL for pre-authorizations; few CAs offer them.</summary>
    public Uri? NewAuthz { get; init; }

    /// <summary>The URL for revocations. RFC 8555 requires it, but a server without it can still issue certificates.</summary>
    public Uri? RevokeCert { get; init; }

    /// <summary>The URL for account key changes. RFC 8555 requires it, but a server without it can still issue certificates.</summary>
    public Uri? KeyChange { get; init; }

    /// <summary>The URL for renewal information (RFC 9773), if offered.</summary>
    public Uri? RenewalInfo { get; init; }

    /// <summary>The CA's metadata; empty if the directory has none.</summary>
    public AcmeDirectoryMeta Meta { get; init; } = new();

    /// <summary>Whether a URL is one of the directory's.</summary>
    internal bool Names(Uri? url) =>
        url is not null
        && (url == NewNonce || url == NewAccount || url == NewOrder || url == NewAuthz || url == RevokeCert || url == KeyChange);

    internal static AcmeDirectory FromDocument(DirectoryDocument document, AcmeResponse response) => new()
    {
        Url = response.Call.Url,
        NewNonce = Required(response, document.NewNonce, "newNonce"),
        NewAccount = Required(response, document.NewAccount, "newAccount"),
        NewOrder = Required(response, document.NewOrder, "newOrder"),
        NewAuthz = response.Link(document.NewAuthz, "newAuthz"),
        RevokeCert = response.Link(document.RevokeCert, "revokeCert"),
        KeyChange = response.Link(document.KeyChange, "keyChange"),
        RenewalInfo = response.Link(document.RenewalInfo, "renewalInfo"),
        Meta = document.Meta is { } meta ? MetaOf(meta) : new AcmeDirectoryMeta(),
    };

    private static Uri Required(AcmeResponse response, string? text, string member) =>
        response.Link(text, member) ?? throw response.Malformed($"the response is not an ACME directory: \"{member}\" is missing");

    private static AcmeDirectoryMeta MetaOf(DirectoryMetaDocument meta) => new()
    {
        TermsOfService = string.IsNullOrWhiteSpace(meta.TermsOfService) ? null : meta.TermsOfService,
        Website = string.IsNullOrWhiteSpace(meta.Website) ? null : QuotedText.Words(meta.Website, MaxTextLength),
        CaaIdentities = [.. (meta.CaaIdentities ?? []).OfType<string>().Take(MaxCaaIdentities)
            .Select(name => QuotedText.Words(name, MaxNameLength))],
        IssuerDomainNames = NamesOf(meta.IssuerDomainNames),
        AccountHashPrefix = JsonText.Read(meta.AccountHashPrefix) is { Length: > 0 and <= MaxTextLength } prefix ? prefix : null,
        ExternalAccountRequired = meta.ExternalAccountRequired ?? false,
        Profiles = ProfilesOf(meta.Profiles),
    };

    private static string[] NamesOf(JsonElement names) => names.ValueKind != JsonValueKind.Array
        ? []
        : [.. names.EnumerateArray().Take(MaxIssuerDomainNames).Select(name => QuotedText.Words(JsonText.Read(name), MaxNameLength))];

    private static Dictionary<string, string> ProfilesOf(JsonElement profiles)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, description) in JsonText.Members(profiles).Take(MaxProfiles))
        {
            found[QuotedText.Words(name, 100)] = QuotedText.Words(JsonText.Read(description), MaxTextLength);
        }

        return found;
    }
}

/// <summary>A CA's metadata (RFC 8555 section 7.1.1 and the profiles draft).</summary>
public sealed record AcmeDirectoryMeta
{
    /// <summary>
    /// The URL of the terms of service, or the terms themselves as a <c>data:</c> URL. Untrusted text: encode it, and
    /// link only to HTTPS.
    /// </summary>
    public string? TermsOfService { get; init; }

    /// <summary>The CA's web site. Untrusted text: link only to HTTPS.</summary>
    public string? Website { get; init; }

    /// <summary>The domain names that identify the CA in CAA records.</summary>
    public IReadOnlyList<string> CaaIdentities { get; init; } = [];

    /// <summary>
    /// The names that identify the CA in dns-persist-01 records (draft-ietf-acme-dns-persist-02 section 3.2), as the server writes them.
    /// </summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    /// <summary>
    /// The prefix of hashed account URIs in dns-persist-01 records (draft-ietf-acme-dns-persist-02 section 4.1), as the server writes it.
    /// </summary>
    /// <value><see langword="null"/> if the server follows an earlier draft or does not offer the challenge.</value>
    public string? AccountHashPrefix { get; init; }

    /// <summary>Whether new accounts need an external account binding.</summary>
    public bool ExternalAccountRequired { get; init; }

    /// <summary>The certificate profiles on offer: names and descriptions.</summary>
    public IReadOnlyDictionary<string, string> Profiles { get; init; } = new Dictionary<string, string>();
}

/// <summary>The JSON of a directory (RFC 8555 section 7.1.1).</summary>
internal sealed class DirectoryDocument
{
    public string? NewNonce { get; init; }

    public string? NewAccount { get; init; }

    public string? NewOrder { get; init; }

    public string? NewAuthz { get; init; }

    public string? RevokeCert { get; init; }

    public string? KeyChange { get; init; }

    public string? RenewalInfo { get; init; }

    public DirectoryMetaDocument? Meta { get; init; }
}

/// <summary>The JSON of a directory's <c>meta</c> object.</summary>
internal sealed class DirectoryMetaDocument
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public IReadOnlyList<string?>? CaaIdentities { get; init; }

    // From a draft: the directory stays usable whatever their shape.
    public JsonElement IssuerDomainNames { get; init; }

    public JsonElement AccountHashPrefix { get; init; }

    public bool? ExternalAccountRequired { get; init; }

    public JsonElement Profiles { get; init; }
}
