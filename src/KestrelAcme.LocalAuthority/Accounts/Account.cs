using System.Text.Json;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>An account, RFC 8555 section 7.1.2. Immutable.</summary>
internal sealed record Account(string Id, AccountKey Key)
{
    public AccountStatus Status { get; init; } = AccountStatus.Valid;

    public IReadOnlyList<string> Contact { get; init; } = [];

    /// <summary>
    /// The thumbprints of the keys that the account had before, the newest first: records of dns-persist-01 made with them still hold.
    /// </summary>
    public IReadOnlyList<string> EarlierThumbprints { get; init; } = [];

    public bool TermsOfServiceAgreed { get; init; }

    /// <summary>The binding as the client sent it: the account object repeats it.</summary>
    public JsonElement? ExternalAccountBinding { get; init; }
}
