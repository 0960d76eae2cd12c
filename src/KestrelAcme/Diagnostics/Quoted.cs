using System.Net;

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
