using System.Text;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Finds single values in JSON that can no longer be parsed as a whole.</summary>
internal static class SavedFields
{
    private const int MaxUrlLength = 2048;

    /// <summary>Returns the HTTP or HTTPS URL of a property; <see langword="null"/> if it is lost.</summary>
    public static Uri? Url(ReadOnlySpan<byte> text, string property)
    {
        var at = text.IndexOf(Encoding.UTF8.GetBytes($"\"{property}\":\""));
        if (at < 0)
        {
            return null;
        }

        var rest = text[(at + property.Length + 4)..];
        var end = rest.IndexOf((byte)'"');
        return end is > 0 and <= MaxUrlLength
            && Uri.TryCreate(Encoding.UTF8.GetString(rest[..end]), UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" ? url : null;
    }
}
