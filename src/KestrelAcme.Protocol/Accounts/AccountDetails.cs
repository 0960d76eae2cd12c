using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>What the server has on file for an account (RFC 8555 section 7.1.2), as it was when it was read.</summary>
public sealed record AccountDetails
{
    private const int MaxContacts = 100;
    private const int MaxContactLength = 1000;

    /// <summary>The status.</summary>
    public AccountStatus Status { get; init; }

    /// <summary>The contact URLs; an authority may keep them to itself (Let's Encrypt does).</summary>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Whether the terms of service are agreed to, where the server says so.</summary>
    public bool? TermsOfServiceAgreed { get; init; }

    /// <summary>The list of orders; many servers have none.</summary>
    public Uri? OrdersUrl { get; init; }

    internal static AccountDetails FromResponse(AcmeResponse answer)
    {
        var document = answer.Read(AcmeJson.Default.AccountDocument);
        return new AccountDetails
        {
            Status = StatusOf(document.Status),
            Contacts = [.. (document.Contact ?? []).OfType<string>().Take(MaxContacts).Select(contact => QuotedText.Words(contact, MaxContactLength))],
            TermsOfServiceAgreed = document.TermsOfServiceAgreed,
            OrdersUrl = answer.Link(document.Orders, "orders"),
        };
    }

    /// <summary>The status in an answer that need not hold the account object (RFC 8555 section 7.3.1).</summary>
    internal static AccountStatus StatusIn(AcmeResponse answer)
    {
        try
        {
            return StatusOf(answer.Read(AcmeJson.Default.AccountDocument).Status);
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
