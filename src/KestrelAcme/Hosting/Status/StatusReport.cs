using System.Text.Json.Serialization;
using KestrelAcme.Certificates;

namespace KestrelAcme.Hosting.Status;

/// <summary>One page of the status, as it is written as JSON.</summary>
internal sealed record StatusReport
{
    /// <summary>The time of the report.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The number of managed certificates, or of those that match the search.</summary>
    public required int Total { get; init; }

    /// <summary>How many of them need attention.</summary>
    public required int NeedAttention { get; init; }

    /// <summary>The number of this page, from 1.</summary>
    public required int Page { get; init; }

    /// <summary>The number of pages, at least 1.</summary>
    public required int Pages { get; init; }

    /// <summary>What is wrong with the app as a whole, and what to do.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The certificates of the page: those that need attention first.</summary>
    public required IReadOnlyList<StatusRow> Certificates { get; init; }
}

/// <summary>A certificate in the status.</summary>
internal sealed record StatusRow
{
    public required string Id { get; init; }

    public required IReadOnlyList<string> Names { get; init; }

    public required CertificateState State { get; init; }

    /// <summary>What needs attention, in words.</summary>
    public string? Problem { get; init; }

    /// <summary>The last failure since the last success: what went wrong and how to fix it.</summary>
    public string? Failure { get; init; }

    public DateTimeOffset? FailedAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>The window in which the CA advises to renew (RFC 9773).</summary>
    public DateTimeOffset? WindowStart { get; init; }

    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>The planned time of the next order.</summary>
    public DateTimeOffset? NextOrder { get; init; }

    /// <summary>The directory URL of the CA that issued the certificate.</summary>
    public string? Authority { get; init; }

    /// <summary>The URL of the account that ordered it.</summary>
    public string? Account { get; init; }

    public string? Issuer { get; init; }

    public string? SerialNumber { get; init; }
}

[JsonSerializable(typeof(StatusReport))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
