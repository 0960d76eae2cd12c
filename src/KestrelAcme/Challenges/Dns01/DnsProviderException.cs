using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>A DNS provider did not make a change.</summary>
public sealed class DnsProviderException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="fault">The kind of fault, which decides when the change is tried again.</param>
    /// <param name="message">Names the server and the zone, quotes the provider's words, and says what to do. No secret.</param>
    /// <param name="innerException">The cause.</param>
    public DnsProviderException(DnsProviderFault fault, string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
        => Fault = fault;

    /// <summary>The kind of fault.</summary>
    public DnsProviderFault Fault { get; }

    /// <summary>How long the provider asked to wait.</summary>
    /// <value><see langword="null"/>: it did not ask.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that a person has to create to mend it.</summary>
    /// <value>Empty: no record does.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}
