using System.Text;

namespace KestrelAcme.Diagnostics;

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
