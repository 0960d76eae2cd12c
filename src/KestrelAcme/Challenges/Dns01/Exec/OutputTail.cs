using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// Reads the output of a program, so that it never blocks, and keeps the end of it, which usually contains the reason of a failure.
/// </summary>
internal sealed partial class OutputTail
{
    // More than is shown, because escape sequences are removed.
    private const int Kept = 8000;

    private readonly StringBuilder _text = new();

    /// <summary>Reads until the end or until canceled, and keeps what was read.</summary>
    public async Task ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var buffer = new char[1024];
        try
        {
            int length;
            while ((length = await reader.ReadAsync(buffer, cancellationToken)) > 0)
            {
                Append(buffer.AsSpan(0, length));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // What was read so far is enough.
        }
    }

    /// <summary>Appends text.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        _text.Append(text);
        if (_text.Length > 2 * Kept)
        {
            _text.Remove(0, _text.Length - Kept);
        }
    }

    /// <summary>
    /// Returns the end of both streams in one line. Standard error comes last, and each stream gets at least half of the length.
    /// </summary>
    public static string Show(OutputTail output, OutputTail errors, int maxLength = QuotedText.MaxReplyLength)
    {
        var (written, failed) = (output.Words(), errors.Words());
        var lastErrors = Last(failed, Math.Max(maxLength / 2, maxLength - written.Length - 1));
        return written.Length == 0 ? lastErrors : $"{Last(written, maxLength - lastErrors.Length - 1)} {lastErrors}".TrimEnd();
    }

    private static string Last(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        // Starts at a word, so that no word, surrogate pair or escape is cut.
        var start = text.Length - maxLength + 1;
        var space = text.IndexOf(' ', start - 1);
        start = space >= 0 && space < text.Length - 1 && space - start < maxLength / 2 ? space + 1
            : char.IsLowSurrogate(text[start]) ? start + 1
            : start;
        return $"…{text[start..]}";
    }

    private string Words() => QuotedText.Words(EscapeSequence().Replace(_text.ToString(), ""), 16 * Kept);

    // ECMA-48: control sequences (CSI), control strings (OSC, DCS, SOS, PM, APC), and short escapes.
    [GeneratedRegex(
        "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?"
        + "|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|\\u001b\\\\|\\u009c)?"
        + "|\\u001b[ -/]*[0-~]?",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex EscapeSequence();
}
