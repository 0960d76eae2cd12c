using System.Net;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The credentials of a request. If a service repeats them in its response, they must not appear in a log or a status: quoted parts of a
/// response go through <see cref="Hide"/> before they are shortened.
/// </summary>
/// <remarks>Like <see cref="QuotedText"/>, compiled into each product that calls an API with credentials.</remarks>
internal sealed class SentSecrets
{
    /// <summary>The replacement for a secret.</summary>
    public const string Mask = "***";

    // Hiding shorter secrets would hide ordinary words and protect nothing.
    private const int MinLength = 4;

    private readonly string[] _forms;

    public SentSecrets(IEnumerable<string?> secrets) => _forms =
    [
        .. secrets.Where(secret => secret?.Trim().Length >= MinLength).SelectMany(secret => Forms(secret!.Trim()))
            .Where(form => form.Length >= MinLength).Distinct(StringComparer.OrdinalIgnoreCase).OrderByDescending(form => form.Length),
    ];

    /// <summary>Returns the text without the secrets, in all usual encodings.</summary>
    public string Hide(string? text)
    {
        text ??= "";
        foreach (var form in _forms)
        {
            text = text.Replace(form, Mask, StringComparison.OrdinalIgnoreCase);
        }

        return text;
    }

    /// <summary>Returns the response of a service without the secrets, printable and limited in length.</summary>
    public string Quote(string? reply) => QuotedText.Words(Hide(reply), QuotedText.MaxReplyLength);

    /// <summary>
    /// Returns the exception, to be used as an inner exception, or <see langword="null"/> if it contains a secret: logs write all inner
    /// exceptions.
    /// </summary>
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

        // In the base64 form of a longer text, such as user:password, a secret can begin at three positions within a group. Its first and
        // last characters then depend on the text around it.
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
