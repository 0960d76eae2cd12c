using System.Globalization;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>Times as RFC 3339 writes them.</summary>
internal static class WireTime
{
    /// <summary>Reads a time; one that cannot be read is none: no server's clock format is worth a failed order.</summary>
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;

    public static string? Write(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
