using System.Collections.Concurrent;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.StorageChild;

/// <summary>Counts what was said, by event, and what of it came with an exception.</summary>
internal sealed class CountingLogger : ILogger<FileSystemStorage>
{
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public int Exceptions { get; private set; }

    public int Of(string eventName) => _counts.GetValueOrDefault(eventName);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _counts.AddOrUpdate(eventId.Name ?? "", 1, static (_, count) => count + 1);
        Exceptions += exception is null ? 0 : 1;
    }
}
