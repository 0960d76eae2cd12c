using System.Text.Json;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>The JSON of an account (RFC 8555 section 7.1.2).</summary>
internal sealed class AccountDocument
{
    public string? Status { get; init; }

    public IReadOnlyList<string?>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public string? Orders { get; init; }
}

/// <summary>The payload of newAccount (RFC 8555 section 7.3).</summary>
internal sealed class NewAccountPayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public bool? OnlyReturnExisting { get; init; }

    public JsonElement? ExternalAccountBinding { get; init; }
}

/// <summary>The payload of an account update (RFC 8555 sections 7.3.2, 7.3.3 and 7.3.6); members that are null stay unchanged.</summary>
internal sealed class AccountUpdatePayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public string? Status { get; init; }
}

/// <summary>The inner payload of a key change (RFC 8555 section 7.3.5).</summary>
internal sealed class KeyChangePayload
{
    public required string Account { get; init; }

    public required JsonElement OldKey { get; init; }
}
