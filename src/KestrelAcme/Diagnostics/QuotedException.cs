using System.Text;

namespace KestrelAcme.Diagnostics;

/// <summary>Stands in a log for an exception whose message, or that of an inner one, holds what <see cref="QuotedText"/> does not show as it is. It keeps the types and the stack traces.</summary>
internal sealed class QuotedException : Exception
{
    private readonly Exception _original;

    private QuotedException(Exception original)
        : base(QuotedText.Words(original.Message), original.InnerException is { } inner ? Of(inner) : null)
        => _original = original;

    /// <inheritdoc/>
    public override string? StackTrace => _original.StackTrace;

    /// <summary>The exception itself when all its messages are printable, as almost all are; else one that shows them quoted.</summary>
    public static Exception Of(Exception exception) => IsPlain(exception) ? exception : new QuotedException(exception);

    /// <summary>As <see cref="Exception.ToString"/> writes it, with quoted messages.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"{_original.GetType()}: {Message}");
        if (InnerException is { } inner)
        {
            text.AppendLine().Append(" ---> ").Append(inner).AppendLine().Append("   --- End of inner exception stack trace ---");
        }

        return StackTrace is { } trace ? text.AppendLine().Append(trace).ToString() : text.ToString();
    }

    // ToString as a whole, since an exception may write more than its message; its own line breaks belong to it.
    private static bool IsPlain(Exception exception)
    {
        for (var each = exception; each is not null; each = each.InnerException)
        {
            if (QuotedText.Of(each.Message) != each.Message || (each is AggregateException all && !all.InnerExceptions.Skip(1).All(IsPlain)))
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
