using System.Globalization;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>RFC 3339 times as the authority writes them: UTC, whole seconds.</summary>
internal static class Timestamp
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
