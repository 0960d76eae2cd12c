namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>One element of <c>errors[]</c>; a chain goes deeper into the cause.</summary>
internal sealed record CloudflareError(int Code, string? Message, IReadOnlyList<CloudflareError>? ErrorChain = null)
{
    public string Describe() => $"{Message} (code {Code}){(ErrorChain is { Count: > 0 } chain ? $": {string.Join(", ", chain.Take(5).Select(e => $"{e.Message} (code {e.Code})"))}" : "")}";
}
