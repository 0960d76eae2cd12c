using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>A response, read completely.</summary>
internal sealed record TestResponse(int Status, HttpResponseHeaders Headers, string? ContentType, string Body)
{
    public JsonNode Json => JsonNode.Parse(Body) ?? throw new InvalidOperationException("The body is null.");

    public string? Location => Headers.Location?.ToString();

    public string? Nonce => Headers.TryGetValues("Replay-Nonce", out var values) ? values.Single() : null;

    public IReadOnlyList<string> Links => Headers.TryGetValues("Link", out var values) ? [.. values] : [];

    /// <summary>The problem type without its prefix; empty if the response is not a problem.</summary>
    public string Problem => ContentType == "application/problem+json"
        ? Text("type").Replace("urn:ietf:params:acme:error:", "", StringComparison.Ordinal)
        : "";

    public string Text(string member) => (string?)Json[member] ?? "";

    public IReadOnlyList<string> Texts(string member) => [.. Json[member]!.AsArray().Select(n => (string)n!)];
}
