namespace KestrelAcme.Configuration;

/// <summary>
/// Describes a key of a DNS provider on a property of its options class; see <c>AddDnsProviderType</c>. <c>[Required]</c> and
/// other validation attributes go beside it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DnsProviderSettingAttribute : Attribute
{
    /// <summary>
    /// Whether the value is a secret. No message quotes it, and a key with <c>File</c> at the end of its name may hold the path of
    /// a file with the value instead.
    /// </summary>
    /// <value><see langword="false"/> by default.</value>
    public bool Secret { get; set; }

    /// <summary>A value to show in messages, such as <c>https://dns.example.com:8081/</c>.</summary>
    /// <value>None by default.</value>
    public string? Example { get; set; }

    /// <summary>The name of another property that must be set together with this one.</summary>
    /// <value>None by default.</value>
    public string? Needs { get; set; }

    /// <summary>The name of another property that may be set instead, if this one is required.</summary>
    /// <value>None by default.</value>
    public string? Alternative { get; set; }
}
