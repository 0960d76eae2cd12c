namespace KestrelAcme.Protocol.Accounts;

/// <summary>What a new account is made with (RFC 8555 section 7.3).</summary>
public sealed record NewAccountRequest
{
    /// <summary>Where the authority may write to: e-mail addresses, or URLs such as <c>mailto:admin@example.com</c>.</summary>
    /// <value>Empty: no contact.</value>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Whether the user agrees to the terms of service that the directory names. Most authorities refuse an account otherwise.</summary>
    /// <value><see langword="false"/>.</value>
    public bool TermsOfServiceAgreed { get; init; }

    /// <summary>The binding to a customer account that the authority handed out, where it wants one.</summary>
    /// <value><see langword="null"/>: none.</value>
    public ExternalAccountBinding? ExternalAccountBinding { get; init; }
}
