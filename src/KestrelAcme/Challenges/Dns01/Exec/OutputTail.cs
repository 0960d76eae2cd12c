using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>Reads what a program writes, so that it never blocks, and keeps the last of it: that is where the reason of a failure stands.</summary>
internal sealed partial class OutputTail
{
    // More than is shown, since escape sequences are removed.
    private const int Kept = 8000;

    private readonly StringBuilder _text = new();

    /// <summary>Reads until the end, or until it is canceled; what was read until then is kept.</summary>
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
            // What is there has to do.
        }
    }

    /// <summary>Adds to the end.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        _text.Append(text);
        if (_text.Length > 2 * Kept)
        {
            _text.Remove(0, _text.Length - Kept);
        }
    }

    /// <summary>The last words of both streams in one line; those of the errors come last, and each stream has at least half of the room.</summary>
    public static string Show(OutputTail output, OutputTail errors, int maxLength = QuotedText.MaxReplyLength)
    {
        var (said, failed) = (output.Words(), errors.Words());
        var lastErrors = Last(failed, Math.Max(maxLength / 2, maxLength - said.Length - 1));
        return said.Length == 0 ? lastErrors : $"{Last(said, maxLength - lastErrors.Length - 1)} {lastErrors}".TrimEnd();
    }

    private static string Last(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        // From the beginning of a word, so that no word, pair of surrogates or escape is shown in half.
        var start = text.Length - maxLength + 1;
        var space = text.IndexOf(' ', start - 1);
        start = space >= 0 && space < text.Length - 1 && space - start < maxLength / 2 ? space + 1 : char.IsLowSurrogate(text[start]) ? start + 1 : start;
        return $"…{text[start..]}";
    }

    private string Words() => QuotedText.Words(EscapeSequence().Replace(_text.ToString(), ""), 16 * Kept);

    // ECMA-48: commands (CSI), texts for the terminal (OSC, DCS, SOS, PM, APC), and the short ones.
    [GeneratedRegex(
        "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?"
        + "|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|\\u001b\\\\|\\u009c)?"
        + "|\\u001b[ -/]*[0-~]?",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex EscapeSequence();
}
