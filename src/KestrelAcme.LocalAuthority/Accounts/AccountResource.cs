using System.Text.Json;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>The JSON of an account (RFC 8555 section 7.1.2).</summary>
internal sealed record AccountResource
{
    public required string Status { get; init; }

    public required IReadOnlyList<string> Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public JsonElement? ExternalAccountBinding { get; init; }

    public string? Orders { get; init; }

    public static AccountResource Of(Account account, ResourceUrls urls, bool offerOrdersList) => new()
    {
        Status = StatusName(account.Status),
        Contact = account.Contact,
        TermsOfServiceAgreed = account.TermsOfServiceAgreed ? true : null,
        ExternalAccountBinding = account.ExternalAccountBinding,
        Orders = offerOrdersList ? urls.OrdersList(account.Id) : null,
    };

    public static string StatusName(AccountStatus status) => status switch
    {
        AccountStatus.Deactivated => "deactivated",
        AccountStatus.Revoked => "revoked",
        _ => "valid",
    };
}

/// <summary>The JSON of an orders list (RFC 8555 section 7.1.2.1).</summary>
internal sealed record OrdersListResource(IReadOnlyList<string> Orders);

/// <summary>The payload of newAccount (RFC 8555 section 7.3).</summary>
internal sealed record NewAccountPayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public bool? OnlyReturnExisting { get; init; }

    public JsonElement? ExternalAccountBinding { get; init; }
}

/// <summary>The payload of an account update (RFC 8555 sections 7.3.2 and 7.3.6). Other members are ignored.</summary>
internal sealed record AccountUpdatePayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public string? Status { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }
}

/// <summary>The inner payload of a key change (RFC 8555 section 7.3.5).</summary>
internal sealed record KeyChangePayload
{
    public string? Account { get; init; }

    public JsonWebKey? OldKey { get; init; }
}
