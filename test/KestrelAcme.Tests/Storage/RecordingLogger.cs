using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.Storage;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Name, string Message)> _entries = new();

    public IReadOnlyList<(LogLevel Level, string Name, string Message)> Entries => [.. _entries];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Enqueue((logLevel, eventId.Name ?? "", formatter(state, exception)));
}
