using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Thrown if a DNS provider did not make a change.</summary>
public sealed class DnsProviderException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="fault">The kind of fault, which decides when KestrelAcme retries.</param>
    /// <param name="message">
    /// Names the server and the zone, quotes the provider's message, and says how to fix it. Must not contain a secret.
    /// </param>
    /// <param name="innerException">The cause.</param>
    public DnsProviderException(DnsProviderFault fault, string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
        => Fault = fault;

    /// <summary>The kind of fault.</summary>
    public DnsProviderFault Fault { get; }

    /// <summary>The delay that the provider asked for.</summary>
    /// <value><see langword="null"/> if it did not ask for one.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that must be created by hand to fix the problem.</summary>
    /// <value>Empty if no record is needed.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}

/// <summary>Why a DNS provider did not make a change.</summary>
public enum DnsProviderFault
{
    /// <summary>
    /// It rejected the change, for example because of a rule of its own or a malformed request. Retried with increasing delays.
    /// </summary>
    Refused,

    /// <summary>It rejected the credentials, or they do not allow the change. Operator action is required.</summary>
    Unauthorized,

    /// <summary>It does not have the zone, or the account cannot see it. Operator action is required.</summary>
    ZoneNotFound,

    /// <summary>Something must be set up by hand first, such as a CNAME.</summary>
    SetUpNeeded,

    /// <summary>It asks to retry later.</summary>
    RateLimited,

    /// <summary>It could not be reached, or had an internal error.</summary>
    Unavailable,
}
