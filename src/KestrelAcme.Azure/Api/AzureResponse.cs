using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Azure.Api;

/// <summary>What Resource Manager answered.</summary>
internal sealed record AzureResponse(int Status, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter, SentSecrets Secrets)
{
    private const int TooManyRequests = 429;

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Whether the same request may succeed in a moment.</summary>
    public bool IsBusy => Status is TooManyRequests or 502 or 503 or 504;

    /// <summary>The body as JSON; <see langword="null"/> when it is something else, such as the error page of a proxy.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Body.IsEmpty ? null : JsonSerializer.Deserialize(Body.Span, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The body as a text to quote.</summary>
    public string Text => Quote(Encoding.UTF8.GetString(Body.Span));

    /// <summary>A part of the answer as a text to quote, without the credentials that were sent.</summary>
    public string Quote(string? part) => Secrets.Quote(part);

    public override string ToString() => $"HTTP {Status}, {Body.Length} bytes";
}
