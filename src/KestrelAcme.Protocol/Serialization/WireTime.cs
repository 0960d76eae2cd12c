using System.Globalization;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>Times as RFC 3339 writes them.</summary>
internal static class WireTime
{
    // Go's zero time and other stand-ins for "none" lie outside, and so does everything that cannot be added to without overflow.
    private const int FirstYear = 1970;
    private const int LastYear = 9000;
    private const int MaxLength = 64;

    /// <summary>
    /// Reads a time. One that cannot be read or makes no sense is none: no server's clock format is worth a failed order.
    /// </summary>
    public static DateTimeOffset? Parse(string? text)
    {
        // What does not begin with a date would be read as a time of today.
        if (text is not { Length: > 10 and <= MaxLength } || text[4] != '-' || !char.IsAsciiDigit(text[0]))
        {
            return null;
        }

        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Styles, out var time) && time.Year is >= FirstYear and <= LastYear
            ? time
            : null;
    }

    public static string? Write(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
