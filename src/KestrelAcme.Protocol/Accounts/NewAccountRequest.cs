namespace KestrelAcme.Protocol.Accounts;

/// <summary>The properties of a new account (RFC 8555 section 7.3).</summary>
public sealed record NewAccountRequest
{
    /// <summary>Contacts for the CA: e-mail addresses, or URLs such as <c>mailto:admin@example.com</c>.</summary>
    /// <value>Empty by default: no contacts.</value>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Whether the user agrees to the terms of service that the directory links to. Most CAs require it.</summary>
    /// <value><see langword="false"/> by default.</value>
    public bool TermsOfServiceAgreed { get; init; }

    /// <summary>The binding to a customer account, if the CA requires one.</summary>
    /// <value><see langword="null"/> by default: none.</value>
    public ExternalAccountBinding? ExternalAccountBinding { get; init; }
}
