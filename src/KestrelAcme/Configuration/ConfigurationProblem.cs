using System.Text;

namespace KestrelAcme.Configuration;

/// <summary>One thing that is wrong with the configuration, and how to put it right.</summary>
/// <param name="Key">The full key, such as <c>AcmeHttps:DomainNames:1</c>.</param>
/// <param name="Value">The value as given; <see langword="null"/> when there is none, or when it is, or could be, a secret.</param>
/// <param name="Reason">What is wrong, to be read after the value: "is a URL, not a domain name".</param>
/// <param name="Fix">What to do, a sentence without its full stop: "Write 'a.example'"; a question ends in its mark.</param>
internal sealed record ConfigurationProblem(string Key, string? Value, string Reason, string Fix)
{
    private const int MaxShownLength = 120;

    /// <summary>The one line that an operator reads.</summary>
    public override string ToString()
        => $"{Printable(Key)}{(Value is null ? "" : $" = '{Printable(Value)}'")}: {Reason}. {Fix}{(Fix.EndsWith('?') ? "" : ".")}";

    /// <summary>A value cut to a length that fits a line, control characters replaced: it goes to logs and terminals.</summary>
    internal static string Printable(string value)
    {
        var text = new StringBuilder(Math.Min(value.Length, MaxShownLength) + 1);
        foreach (var c in value.AsSpan(0, Math.Min(value.Length, MaxShownLength)))
        {
            text.Append(char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c);
        }

        return value.Length > MaxShownLength ? text.Append('…').ToString() : text.ToString();
    }
}
