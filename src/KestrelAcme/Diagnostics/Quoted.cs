using System.Net;
using System.Text;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// A text in a log message, quoted with <see cref="QuotedText"/> when it is formatted. Log messages have no parameters of other text types,
/// so that no text is logged unquoted.
/// </summary>
/// <remarks>It is formattable and has no properties, so that structured logs store it as text.</remarks>
internal sealed class Quoted : IFormattable
{
    private const int MaxLines = 100;

    private readonly object? _text;
    private readonly int _maxLength;

    private Quoted(object? text, int maxLength = QuotedText.MaxLength) => (_text, _maxLength) = (text, maxLength);

    public static implicit operator Quoted(string? text) => new(text);

    public static implicit operator Quoted(Uri? url) => new(url);

    public static implicit operator Quoted(IPAddress? address) => new(address);

    public static implicit operator Quoted(EndPoint? endPoint) => new(endPoint);

    /// <summary>A name, address or key, which needs at most a few hundred characters.</summary>
    public static Quoted Name(string? name) => new(name, QuotedText.MaxNameLength);

    /// <summary>A list, with each element on a new line. Elements after the first hundred are only counted.</summary>
    public static Quoted Lines(IEnumerable<string> lines)
    {
        var all = lines.ToArray();
        return new(all.Length <= MaxLines ? all : [.. all.Take(MaxLines), $"and {all.Length - MaxLines} more"]);
    }

    /// <inheritdoc/>
    public override string ToString() => _text switch
    {
        null => "(null)",
        string[] lines => string.Concat(lines.Select(line => $"{Environment.NewLine}  {QuotedText.Of(line)}")),
        Uri url => QuotedText.Of(url),
        var text => QuotedText.Of(text.ToString(), _maxLength),
    };

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();
}

/// <summary>
/// Replaces, in a log, an exception with a message (its own, or that of an inner exception) that <see cref="QuotedText"/> has to quote.
/// Types and stack traces are kept.
/// </summary>
internal sealed class QuotedException : Exception
{
    private readonly Exception _original;

    private QuotedException(Exception original)
        : base(QuotedText.Words(original.Message), original.InnerException is { } inner ? Of(inner) : null)
        => _original = original;

    /// <inheritdoc/>
    public override string? StackTrace => _original.StackTrace;

    /// <summary>Returns the exception itself if all its messages are printable, which is usual; otherwise one that quotes them.</summary>
    public static Exception Of(Exception exception) => IsPlain(exception) ? exception : new QuotedException(exception);

    /// <summary>Returns the same as <see cref="Exception.ToString"/>, with quoted messages.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"{_original.GetType()}: {Message}");
        if (InnerException is { } inner)
        {
            text.AppendLine().Append(" ---> ").Append(inner).AppendLine().Append("   --- End of inner exception stack trace ---");
        }

        return StackTrace is { } trace ? text.AppendLine().Append(trace).ToString() : text.ToString();
    }

    // Checks the result of ToString, too, since an exception can add to its message. Line breaks between its parts are allowed.
    private static bool IsPlain(Exception exception)
    {
        for (var each = exception; each is not null; each = each.InnerException)
        {
            if (QuotedText.Of(each.Message) != each.Message
                || (each is AggregateException all && !all.InnerExceptions.Skip(1).All(IsPlain)))
            {
                return false;
            }
        }

        foreach (var line in exception.ToString().AsSpan().EnumerateLines())
        {
            if (!line.IsEmpty && QuotedText.Of(line.ToString()) != line.ToString())
            {
                return false;
            }
        }

        return true;
    }
}
