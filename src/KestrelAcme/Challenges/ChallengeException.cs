using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges;

/// <summary>Thrown if a challenge could not be prepared, for a reason on this side and not the CA's.</summary>
public sealed class ChallengeException : Exception
{
    /// <summary>Creates the exception with a message that names the domain, what failed and the fix.</summary>
    public ChallengeException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }

    /// <summary>The kind of fault, which decides who must fix it and when KestrelAcme retries.</summary>
    /// <value>By default, <see cref="ChallengeFault.Name"/>.</value>
    public ChallengeFault Fault { get; init; }

    /// <summary>The delay that the service that refused asked for.</summary>
    /// <value><see langword="null"/> if it did not ask for one.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that must be created by hand to fix the problem.</summary>
    /// <value>Empty if no record is needed.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}

/// <summary>Why a challenge could not be prepared. Decides who must fix it and when KestrelAcme retries.</summary>
public enum ChallengeFault
{
    /// <summary>The name itself: its records, its delegation or its name servers. Retried with increasing delays.</summary>
    Name,

    /// <summary>Operator action is required: a setting, a credential or a record. Retried once a day.</summary>
    Operator,

    /// <summary>This machine or a service it uses, such as a DNS provider's API that is down. Retried soon.</summary>
    Local,
}

/// <summary>A DNS record that must be created by hand before a certificate can be issued.</summary>
/// <param name="Name">The absolute name, without a trailing dot.</param>
/// <param name="Type">The type, such as <c>TXT</c>, <c>CAA</c> or <c>CNAME</c>.</param>
/// <param name="Value">
/// The value in zone-file notation (RFC 1035 section 5.1): texts are quoted, and names end with a dot.
/// </param>
public sealed record RequiredDnsRecord(string Name, string Type, string Value)
{
    /// <summary>Returns the record as a line of a zone file.</summary>
    public override string ToString() => $"{Name}. {Type} {Value}";
}
