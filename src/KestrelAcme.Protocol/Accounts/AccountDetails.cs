using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>An account as the server describes it (RFC 8555 section 7.1.2), as of the time it was read.</summary>
public sealed record AccountDetails
{
    private const int MaxContacts = 100;
    private const int MaxContactLength = 1000;

    /// <summary>The status.</summary>
    public AccountStatus Status { get; init; }

    /// <summary>The contact URLs. Empty if the CA does not disclose them (Let's Encrypt does not).</summary>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Whether the terms of service are agreed to; <see langword="null"/> if the server does not say.</summary>
    public bool? TermsOfServiceAgreed { get; init; }

    /// <summary>The URL of the account's list of orders; many servers have none.</summary>
    public Uri? OrdersUrl { get; init; }

    internal static AccountDetails FromResponse(AcmeResponse response)
    {
        var document = response.Read(AcmeJson.Default.AccountDocument);
        return new AccountDetails
        {
            Status = StatusOf(document.Status),
            Contacts = [.. (document.Contact ?? []).OfType<string>().Take(MaxContacts)
                .Select(contact => QuotedText.Words(contact, MaxContactLength))],
            TermsOfServiceAgreed = document.TermsOfServiceAgreed,
            OrdersUrl = response.Link(document.Orders, "orders"),
        };
    }

    /// <summary>Reads the status from a response that may lack the account object (RFC 8555 section 7.3.1).</summary>
    internal static AccountStatus StatusIn(AcmeResponse response)
    {
        try
        {
            return StatusOf(response.Read(AcmeJson.Default.AccountDocument).Status);
        }
        catch (AcmeMalformedResponseException)
        {
            return AccountStatus.Unknown;
        }
    }

    private static AccountStatus StatusOf(string? status) => status switch
    {
        "valid" => AccountStatus.Valid,
        "deactivated" => AccountStatus.Deactivated,
        "revoked" => AccountStatus.Revoked,
        _ => AccountStatus.Unknown,
    };
}

/// <summary>The status of an account (RFC 8555 section 7.1.6).</summary>
public enum AccountStatus
{
    /// <summary>A status unknown to this library.</summary>
    Unknown,

    /// <summary>The account can be used.</summary>
    Valid,

    /// <summary>Deactivated by the client.</summary>
    Deactivated,

    /// <summary>Revoked by the server.</summary>
    Revoked,
}

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
