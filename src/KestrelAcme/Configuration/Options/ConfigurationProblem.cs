using KestrelAcme.Diagnostics;

namespace KestrelAcme.Configuration;

/// <summary>A problem in the configuration, and how to fix it.</summary>
/// <param name="Key">The full key, such as <c>AcmeHttps:DomainNames:1</c>.</param>
/// <param name="Value">The value as given; <see langword="null"/> if there is none, or if it is or could be a secret.</param>
/// <param name="Reason">The reason, as a continuation of the value: "is a URL, not a domain name".</param>
/// <param name="Fix">The fix: a sentence without the period, such as "Write 'a.example'", or a question with its question mark.</param>
internal sealed record ConfigurationProblem(string Key, string? Value, string Reason, string Fix)
{
    private const int MaxShownLength = 120;

    /// <summary>Returns the line that the operator reads.</summary>
    public override string ToString()
    {
        var value = Value is null ? "" : $" = '{QuotedText.Of(Value, MaxShownLength)}'";
        return QuotedText.Of($"{QuotedText.Of(Key, MaxShownLength)}{value}: {Reason}. {Fix}{(Fix.EndsWith('?') ? "" : ".")}");
    }
}
