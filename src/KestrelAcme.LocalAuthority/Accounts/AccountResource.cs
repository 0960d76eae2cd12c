using System.Text.Json;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>An account as clients see it.</summary>
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
