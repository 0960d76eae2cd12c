using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Http;

/// <summary>What a provider's API answered.</summary>
internal sealed record DnsApiResponse(HttpStatusCode StatusCode, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter, SentSecrets Secrets)
{
    public bool IsSuccess => (int)StatusCode is >= 200 and < 300;

    /// <summary>The body as JSON; <see langword="null"/> when it is something else.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Body.IsEmpty ? null : JsonSerializer.Deserialize(Body.Span, type);
        }
        catch (JsonException)
        {
            // An error page of something in between: its text is quoted.
            return null;
        }
    }

    /// <summary>The body as a text to quote.</summary>
    public string Text => Quote(Encoding.UTF8.GetString(Body.Span));

    /// <summary>A part of the answer as a text to quote, without the credentials that were sent.</summary>
    public string Quote(string? part) => Secrets.Quote(part);

    public override string ToString() => $"HTTP {(int)StatusCode}, {Body.Length} bytes";
}
