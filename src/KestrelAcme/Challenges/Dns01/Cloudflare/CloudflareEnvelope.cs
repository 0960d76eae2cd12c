namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>What every answer of the API is wrapped in.</summary>
internal sealed record CloudflareEnvelope<T>
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }

    public IReadOnlyList<T>? Result { get; init; }

    public CloudflarePage? ResultInfo { get; init; }
}
