namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>RFC 8555 sections 7.3.2 and 7.3.6: everything else that a client sends is ignored.</summary>
internal sealed record AccountUpdatePayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public string? Status { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }
}
