using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>The inner payload of a key change, RFC 8555 section 7.3.5.</summary>
internal sealed record KeyChangePayload
{
    public string? Account { get; init; }

    public JsonWebKey? OldKey { get; init; }
}
