using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareZone>))]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareRecord>))]
[JsonSerializable(typeof(CloudflareChange))]
[JsonSerializable(typeof(CloudflareRecord))]
internal sealed partial class CloudflareJsonContext : JsonSerializerContext;

/// <summary>The wrapper of all responses of the API.</summary>
internal sealed record CloudflareEnvelope<T>
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }

    public IReadOnlyList<T>? Result { get; init; }

    public CloudflarePage? ResultInfo { get; init; }
}

/// <summary>The response to a change. Only success and errors matter.</summary>
internal sealed record CloudflareChange
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }
}

/// <summary>One element of <c>errors[]</c>. <see cref="ErrorChain"/> contains the causes.</summary>
internal sealed record CloudflareError(int Code, string? Message, IReadOnlyList<CloudflareError>? ErrorChain = null)
{
    public string Describe()
        => ErrorChain is { Count: > 0 } chain
            ? $"{Message} (code {Code}): {string.Join(", ", chain.Take(5).Select(e => $"{e.Message} (code {e.Code})"))}"
            : $"{Message} (code {Code})";
}

/// <summary>The position of a response in a paged list.</summary>
internal sealed record CloudflarePage(int Page, int TotalPages);

/// <summary>A zone.</summary>
internal sealed record CloudflareZone(string Id, string Name);

/// <summary>A DNS record. <see cref="Id"/> is assigned by the API.</summary>
internal sealed record CloudflareRecord(string Type, string Name, string Content, long? Ttl = null, string? Id = null);
