namespace KestrelAcme.Protocol.Accounts;

/// <summary>An account as it is on the wire (RFC 8555 section 7.1.2).</summary>
internal sealed class AccountDocument
{
    public string? Status { get; init; }

    public IReadOnlyList<string?>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public string? Orders { get; init; }
}
