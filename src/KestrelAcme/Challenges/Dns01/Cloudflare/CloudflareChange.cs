namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>The answer to a change, of which only success and errors count.</summary>
internal sealed record CloudflareChange
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }
}
