namespace KestrelAcme.Protocol.Accounts;

/// <summary>The payload of an account update (RFC 8555 sections 7.3.2, 7.3.3 and 7.3.6); what is null stays as it is.</summary>
internal sealed class AccountUpdatePayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public string? Status { get; init; }
}
