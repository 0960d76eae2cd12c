using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Tells when Kestrel has bound HTTP/3 beside the TCP endpoint that was built just before.</summary>
/// <remarks>
/// Kestrel refuses to bind HTTP/3 with options that have <c>OnAuthenticate</c>, and looks at no other moment, while TCP reads it at each handshake. So it is
/// set once the server has started; after a reload of endpoints, which announces its end to nobody, a while later. Until then TCP clients get the certificate
/// from the selector, which sends it without intermediates.
/// </remarks>
internal sealed class Http3Start(IHostApplicationLifetime lifetime, TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan Binding = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _disposed;

    /// <summary>Runs the action when the binding is done.</summary>
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
