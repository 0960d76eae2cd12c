using KestrelAcme.Diagnostics;

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
    {
        var value = Value is null ? "" : $" = '{QuotedText.Of(Value, MaxShownLength)}'";
        return QuotedText.Of($"{QuotedText.Of(Key, MaxShownLength)}{value}: {Reason}. {Fix}{(Fix.EndsWith('?') ? "" : ".")}");
    }
}
