using System.Text.Json;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>An account (RFC 8555 section 7.1.2). Immutable.</summary>
internal sealed record Account(string Id, AccountKey Key)
{
    public AccountStatus Status { get; init; } = AccountStatus.Valid;

    public IReadOnlyList<string> Contact { get; init; } = [];

    /// <summary>
    /// The thumbprints of the account's earlier keys, newest first. dns-persist-01 records made with them remain valid.
    /// </summary>
    public IReadOnlyList<string> EarlierThumbprints { get; init; } = [];

    public bool TermsOfServiceAgreed { get; init; }

    /// <summary>The binding as sent by the client, which the account object repeats.</summary>
    public JsonElement? ExternalAccountBinding { get; init; }
}

/// <summary>The status of an account (RFC 8555 section 7.1.6).</summary>
internal enum AccountStatus
{
    Valid,
    Deactivated,
    Revoked,
}
