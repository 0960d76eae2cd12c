using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>
/// A fake QUIC transport for machines without QUIC. It records what Kestrel binds it with, and never gets a connection.
/// </summary>
internal sealed class FakeQuic : IMultiplexedConnectionListenerFactory
{
    public List<IFeatureCollection?> Bound { get; } = [];

    public ValueTask<IMultiplexedConnectionListener> BindAsync(
        EndPoint endpoint, IFeatureCollection? features = null, CancellationToken cancellationToken = default)
    {
        Bound.Add(features);
        return new(new Listener(endpoint));
    }

    private sealed class Listener(EndPoint endPoint) : IMultiplexedConnectionListener
    {
        private readonly TaskCompletionSource<MultiplexedConnectionContext?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => endPoint;

        public ValueTask<MultiplexedConnectionContext?> AcceptAsync(
            IFeatureCollection? features = null, CancellationToken cancellationToken = default)
            => new(_end.Task);

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _end.TrySetResult(null);
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
