namespace KestrelAcme.Configuration;

/// <summary>What an authority handed out to bind an ACME account to an account of its own (RFC 8555 section 7.3.4).</summary>
public sealed class ExternalAccountBindingOptions
{
    /// <summary>The key identifier.</summary>
    /// <value>None.</value>
    public string? KeyId { get; set; }

    /// <summary>The MAC key, base64url, as the authority printed it. A secret: never logged. Keep it out of files under version control.</summary>
    /// <value>None. Give this or <see cref="HmacKeyFile"/>.</value>
    public string? HmacKey { get; set; }

    /// <summary>A file that holds the MAC key, base64url, such as a mounted secret. A relative path counts from the content root.</summary>
    /// <value>None. Give this or <see cref="HmacKey"/>.</value>
    public string? HmacKeyFile { get; set; }

    /// <summary>Returns the key identifier; never the key.</summary>
    public override string ToString() => $"external account '{KeyId}'";
}
