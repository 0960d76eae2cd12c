using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Runs an action after Kestrel has bound HTTP/3 for an endpoint that was just built for TCP.</summary>
/// <remarks>
/// Kestrel refuses to bind HTTP/3 with options that have <c>OnAuthenticate</c>, and checks this only then. TCP reads the property for each
/// handshake, so it is set after the server has started, or, since nothing announces the end of a reload of endpoints, some time after a
/// reload. Until then, TCP clients get the certificate from the selector, without intermediates.
/// </remarks>
internal sealed class Http3Start(IHostApplicationLifetime lifetime, TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan Binding = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _disposed;

    /// <summary>Runs the action after the endpoint is bound.</summary>
    public void AfterBinding(Action action)
    {
        if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            lifetime.ApplicationStarted.Register(action);
            return;
        }

        lock (_gate)
        {
            if (!_disposed)
            {
                _timer?.Dispose();
                _timer = timeProvider.CreateTimer(_ => action(), null, Binding, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }
}
