using System.Globalization;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>Reads and writes times in the format of RFC 3339.</summary>
internal static class WireTime
{
    // Excludes Go's zero time and other placeholders for "none", and times so extreme that adding to them would overflow.
    private const int FirstYear = 1970;
    private const int LastYear = 9000;
    private const int MaxLength = 64;

    /// <summary>
    /// Reads a time. Returns <see langword="null"/> if it cannot be read or is implausible: a bad time is not worth failing an order for.
    /// </summary>
    public static DateTimeOffset? Parse(string? text)
    {
        // Text that does not start with a date would be read as a time of the current day.
        if (text is not { Length: > 10 and <= MaxLength } || text[4] != '-' || !char.IsAsciiDigit(text[0]))
        {
            return null;
        }

        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Styles, out var time)
            && time.Year is >= FirstYear and <= LastYear
            ? time
            : null;
    }

    public static string? Write(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
