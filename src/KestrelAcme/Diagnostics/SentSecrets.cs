using System.Net;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The credentials that went along with a request. A service that repeats them in its answer must not put them into a log or a state: what is quoted of it goes through <see cref="Hide"/>,
/// before it is shortened.
/// </summary>
/// <remarks>Compiled into each product that calls an API with credentials, as <see cref="QuotedText"/> is.</remarks>
internal sealed class SentSecrets
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Mask = "***";

    // Shorter ones would hide ordinary words, and protect nothing.
    private const int MinLength = 4;

    private readonly string[] _forms;

    public SentSecrets(IEnumerable<string?> secrets) => _forms =
    [
        .. secrets.Where(secret => secret?.Trim().Length >= MinLength).SelectMany(secret => Forms(secret!.Trim()))
            .Where(form => form.Length >= MinLength).Distinct(StringComparer.OrdinalIgnoreCase).OrderByDescending(form => form.Length),
    ];

    /// <summary>The text without the secrets, in whatever usual form they are in it.</summary>
    public string Hide(string? text)
    {
        text ??= "";
        foreach (var form in _forms)
        {
            text = text.Replace(form, Mask, StringComparison.OrdinalIgnoreCase);
        }

        return text;
    }

    /// <summary>A reply of a service as it may be shown: without the secrets, printable and bounded.</summary>
    public string Quote(string? reply) => QuotedText.Words(Hide(reply), QuotedText.MaxReplyLength);

    /// <summary>The exception as the cause of another one; none if it holds a secret, since a log writes all causes.</summary>
    public Exception? Cause(Exception exception)
    {
        var text = exception.ToString();
        return Hide(text) == text ? exception : null;
    }

    public override string ToString() => Mask;

    private static IEnumerable<string> Forms(string secret)
    {
        yield return secret;
        yield return Uri.EscapeDataString(secret);
        yield return WebUtility.UrlEncode(secret);
        yield return WebUtility.HtmlEncode(secret);
        yield return JsonEncodedText.Encode(secret).ToString();
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return Convert.ToHexString(bytes);

        // Within a longer text, such as user:password, a secret begins at one of three places of a group of base64; its first and last characters then depend on what is around it.
        for (var before = 0; before < 3; before++)
        {
            var text = Convert.ToBase64String([.. new byte[before], .. bytes]).TrimEnd('=');
            var first = before == 0 ? 0 : before + 1;
            var last = (before + bytes.Length) % 3 == 0 ? text.Length : text.Length - 1;
            if (last - first >= MinLength)
            {
                var inside = text[first..last];
                yield return inside;
                yield return inside.Replace('+', '-').Replace('/', '_');
                yield return Uri.EscapeDataString(inside);
            }
        }
    }
}
