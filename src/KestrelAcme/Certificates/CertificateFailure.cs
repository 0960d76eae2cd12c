using System.Text.Json.Serialization;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates;

/// <summary>The failures of a certificate since its last success.</summary>
public sealed record CertificateFailure
{
    /// <summary>How many attempts in a row failed for what the name did wrong. Outages of the authority are not counted.</summary>
    public int Count { get; init; }

    /// <summary>The problem's type in the authority's words (RFC 8555 section 6.7), such as <c>urn:ietf:params:acme:error:caa</c>; <see langword="null"/> when there was none.</summary>
    public string? ProblemType { get; init; }

    /// <summary>What went wrong and what to do, in plain words.</summary>
    public required string Message { get; init; }

    /// <summary>When the last attempt failed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// When the next attempt is made, at the earliest. If <see cref="RequiredRecords"/> names records, DNS is asked for them in between, and the next attempt is made as soon as it shows a change.
    /// </summary>
    // The name in stores that exist.
    [JsonPropertyName("nextTry")]
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>How many attempts since the last success failed because of this machine.</summary>
    [JsonInclude]
    internal int LocalCount { get; init; }

    /// <summary>Whether the authority failed all names alike.</summary>
    [JsonInclude]
    internal bool WasOutage { get; init; }

    /// <summary>A mark of what DNS showed when the attempt failed, where a person can repair the cause in DNS; <see langword="null"/> when it was not looked up.</summary>
    [JsonInclude]
    internal string? Seen { get; init; }

    /// <summary>Whether DNS shows when the cause is repaired.</summary>
    [JsonIgnore]
    internal bool IsVisibleInDns => Cause == FailureCause.Operator && (RequiredRecords.Count > 0 || ProblemType == AcmeProblemTypes.Caa);

    /// <summary>A mark of the settings under which the attempt failed: when they change, it is tried again at once.</summary>
    [JsonInclude]
    internal string? Settings { get; init; }

    /// <summary>The DNS records that a person has to create before it can be tried again with hope: a CAA record, the record of dns-persist-01, a CNAME.</summary>
    /// <value>Empty: no record would help.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init => field = value is { Count: > 0 } ? value : []; } = [];

    /// <summary>Whether the cause is the name, the authority, or something on this machine.</summary>
    public required FailureCause Cause { get; init; }
}
