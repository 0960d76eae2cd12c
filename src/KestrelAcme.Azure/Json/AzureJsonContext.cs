using System.Text.Json.Serialization;

namespace KestrelAcme.Azure.Json;

/// <summary>The source-generated serializer of all Azure JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AzureZonePage))]
[JsonSerializable(typeof(AzureRecordSet))]
[JsonSerializable(typeof(AzureErrorResponse))]
internal sealed partial class AzureJsonContext : JsonSerializerContext;

/// <summary>One page of a list of zones.</summary>
internal sealed record AzureZonePage(IReadOnlyList<AzureZoneElement>? Value, string? NextLink);

/// <summary>A zone in a list.</summary>
internal sealed record AzureZoneElement(string? Id);

/// <summary>All TXT records of a name.</summary>
/// <param name="Properties">The content of the set.</param>
/// <param name="Etag">The version of the set, which changes with each update; not written.</param>
internal sealed record AzureRecordSet(AzureRecordSetProperties? Properties, string? Etag = null);

/// <summary>The content of a set of TXT records. The metadata belong to the owner of the zone and are written back unchanged.</summary>
internal sealed record AzureRecordSetProperties
{
    [JsonPropertyName("TTL")]
    public long TimeToLive { get; init; }

    [JsonPropertyName("TXTRecords")]
    public IReadOnlyList<AzureTxtRecord>? Records { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>A TXT record of one or several strings.</summary>
internal sealed record AzureTxtRecord(IReadOnlyList<string>? Value)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public string Text => string.Concat(Value ?? []);
}

/// <summary>An error: wrapped if it comes from Resource Manager, possibly unwrapped if it comes from Azure DNS.</summary>
internal sealed record AzureErrorResponse(AzureError? Error, string? Code = null, string? Message = null)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public AzureError? Found => Error ?? (Code is null && Message is null ? null : new AzureError(Code, Message));
}

/// <summary>The code and message of an error.</summary>
internal sealed record AzureError(string? Code, string? Message);
