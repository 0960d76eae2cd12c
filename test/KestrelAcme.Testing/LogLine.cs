using Microsoft.Extensions.Logging;

namespace KestrelAcme.Testing;

/// <summary>One line of the log.</summary>
public sealed record LogLine(string Category, LogLevel Level, EventId Event, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Event.Name}: {Message} {Exception}";
}
