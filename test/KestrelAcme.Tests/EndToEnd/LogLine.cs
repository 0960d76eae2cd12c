using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>One line of the log.</summary>
internal sealed record LogLine(LogLevel Level, EventId Event, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Event.Name}: {Message} {Exception}";
}
