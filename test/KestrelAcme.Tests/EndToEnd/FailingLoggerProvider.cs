using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A logger that throws for one event, as one does whose disk is full or whose server is away.</summary>
internal sealed class FailingLoggerProvider(int eventId) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new FailingLogger(eventId);

    public void Dispose()
    {
    }

    private sealed class FailingLogger(int failing) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == failing)
            {
                throw new IOException("The log cannot be written.");
            }
        }
    }
}
