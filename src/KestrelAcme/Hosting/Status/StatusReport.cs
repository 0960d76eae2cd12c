using System.Globalization;
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

    /// <summary>How many of them are being ordered or renewed.</summary>
    public required int InProgress { get; init; }

    /// <summary>The earliest planned order that is not due yet.</summary>
    public DateTimeOffset? NextOrder { get; init; }

    /// <summary>Whether this instance orders certificates.</summary>
    public required bool Orders { get; init; }

    /// <summary>The number of this page, from 1.</summary>
    public required int Page { get; init; }

    /// <summary>The number of pages, at least 1.</summary>
    public required int Pages { get; init; }

    /// <summary>What is wrong with the app as a whole, and what to do.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The certificates of the page: the most urgent first.</summary>
    public required IReadOnlyList<StatusRow> Certificates { get; init; }

    /// <summary>Names on demand, if that is configured.</summary>
    public StatusOnDemand? OnDemand { get; init; }
}

/// <summary>Names on demand in the status: those that this instance knows of.</summary>
internal sealed record StatusOnDemand
{
    /// <summary>The newest names that were admitted, the latest first.</summary>
    public required IReadOnlyList<StatusNewName> Newest { get; init; }

    /// <summary>The names that were refused last, the latest first.</summary>
    public required IReadOnlyList<StatusRefusedName> Refused { get; init; }
}

/// <summary>A name on demand.</summary>
internal sealed record StatusNewName
{
    public required string Name { get; init; }

    /// <summary>When a client asked for it first.</summary>
    public required DateTimeOffset FirstAsked { get; init; }
}

/// <summary>A name that got no certificate on demand.</summary>
internal sealed record StatusRefusedName
{
    public required string Name { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Why it was refused, the last time.</summary>
    public required string Reason { get; init; }
}

/// <summary>A certificate in the status.</summary>
internal sealed record StatusRow
{
    public required string Id { get; init; }

    public required IReadOnlyList<string> Names { get; init; }

    [JsonConverter(typeof(JsonStringEnumConverter<CertificateState>))]
    public required CertificateState State { get; init; }

    /// <summary>What needs attention, in words.</summary>
    public string? Problem { get; init; }

    /// <summary>What it means for clients, and what to do about it.</summary>
    public string? Advice { get; init; }

    /// <summary>The last failure since the last success: what went wrong and how to fix it.</summary>
    public string? Failure { get; init; }

    public DateTimeOffset? FailedAt { get; init; }

    /// <summary>The DNS records that an operator has to create, as lines of a zone file.</summary>
    public IReadOnlyList<string>? RequiredRecords { get; init; }

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

    /// <summary>The last events since the start of the app, the latest first.</summary>
    public IReadOnlyList<StatusEvent> Events { get; init; } = [];
}

/// <summary>An event in the life of a certificate, in the status and in the stream of events.</summary>
internal sealed record StatusEvent
{
    public required string Certificate { get; init; }

    [JsonConverter(typeof(JsonStringEnumConverter<CertificateEventKind>))]
    public required CertificateEventKind Kind { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Message { get; init; }
}

/// <summary>What a page shows besides the status.</summary>
internal sealed record StatusView
{
    /// <summary>The host that the browser asked for.</summary>
    public string Host { get; init; } = "";

    /// <summary>What was searched for.</summary>
    public string? Search { get; init; }

    /// <summary>The hidden field of the form; <see langword="null"/> if the client may not renew.</summary>
    public (string Name, string Value)? Token { get; init; }

    /// <summary>The renewal that was asked for.</summary>
    public StatusRenewals.Renewal? Renewal { get; init; }

    public string? ScriptUrl { get; init; }

    public string? Nonce { get; init; }

    /// <summary>Returns the query of a page, relative to itself.</summary>
    public static string Query(int page, string? search)
    {
        var name = string.IsNullOrEmpty(search) ? "" : $"&name={Uri.EscapeDataString(search)}";
        return string.Create(CultureInfo.InvariantCulture, $"?page={page}{name}");
    }
}

[JsonSerializable(typeof(StatusReport))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
