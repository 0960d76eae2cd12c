using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Directories;

/// <summary>Where an authority's resources are (RFC 8555 section 7.1.1). Nothing but the directory's own URL stays the same over time.</summary>
public sealed record AcmeDirectory
{
    private const int MaxCaaIdentities = 32;
    private const int MaxIssuerDomainNames = 32;
    private const int MaxProfiles = 64;
    private const int MaxNameLength = 255;
    private const int MaxTextLength = 1000;

    /// <summary>The URL that the directory was read from, after redirects.</summary>
    public required Uri Url { get; init; }

    /// <summary>New nonces.</summary>
    public required Uri NewNonce { get; init; }

    /// <summary>New accounts.</summary>
    public required Uri NewAccount { get; init; }

    /// <summary>New orders.</summary>
    public required Uri NewOrder { get; init; }

    /// <summary>Authorizations ahead of an order; most authorities offer none.</summary>
    public Uri? NewAuthz { get; init; }

    /// <summary>Revocation. RFC 8555 requires it; a server without it is still good for certificates.</summary>
    public Uri? RevokeCert { get; init; }

    /// <summary>Account key rollover. RFC 8555 requires it; a server without it is still good for certificates.</summary>
    public Uri? KeyChange { get; init; }

    /// <summary>Renewal information (RFC 9773), where offered.</summary>
    public Uri? RenewalInfo { get; init; }

    /// <summary>What the authority says of itself; empty where it says nothing.</summary>
    public AcmeDirectoryMeta Meta { get; init; } = new();

    /// <summary>Whether a URL is one of the directory's own.</summary>
    internal bool Names(Uri? url) =>
        url is not null && (url == NewNonce || url == NewAccount || url == NewOrder || url == NewAuthz || url == RevokeCert || url == KeyChange);

    internal static AcmeDirectory FromDocument(DirectoryDocument document, AcmeResponse answer) => new()
    {
        Url = answer.Call.Url,
        NewNonce = Required(answer, document.NewNonce, "newNonce"),
        NewAccount = Required(answer, document.NewAccount, "newAccount"),
        NewOrder = Required(answer, document.NewOrder, "newOrder"),
        NewAuthz = answer.Link(document.NewAuthz, "newAuthz"),
        RevokeCert = answer.Link(document.RevokeCert, "revokeCert"),
        KeyChange = answer.Link(document.KeyChange, "keyChange"),
        RenewalInfo = answer.Link(document.RenewalInfo, "renewalInfo"),
        Meta = document.Meta is { } meta ? MetaOf(meta) : new AcmeDirectoryMeta(),
    };

    private static Uri Required(AcmeResponse answer, string? text, string member) =>
        answer.Link(text, member) ?? throw answer.Malformed($"that is not an ACME directory: \"{member}\" is missing");

    private static AcmeDirectoryMeta MetaOf(DirectoryMetaDocument meta) => new()
    {
        TermsOfService = string.IsNullOrWhiteSpace(meta.TermsOfService) ? null : meta.TermsOfService,
        Website = string.IsNullOrWhiteSpace(meta.Website) ? null : QuotedText.Words(meta.Website, MaxTextLength),
        CaaIdentities = [.. (meta.CaaIdentities ?? []).OfType<string>().Take(MaxCaaIdentities).Select(name => QuotedText.Words(name, MaxNameLength))],
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
