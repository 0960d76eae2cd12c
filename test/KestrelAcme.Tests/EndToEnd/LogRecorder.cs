using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Keeps every log line.</summary>
internal sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    public IEnumerable<LogLine> At(LogLevel level) => _lines.Where(l => l.Level == level);

    public bool Has(string eventName) => _lines.Any(l => l.Event.Name == eventName);

    public override string ToString() => string.Join('\n', _lines.Where(l => l.Level >= LogLevel.Information));

    public ILogger CreateLogger(string categoryName) => new Recorder(_lines);

    public void Dispose()
    {
    }

    private sealed class Recorder(ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => lines.Enqueue(new LogLine(logLevel, eventId, formatter(state, exception), exception));
    }
}
