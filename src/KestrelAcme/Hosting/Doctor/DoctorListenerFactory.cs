using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>What kept the app from starting in a run of the doctor.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DoctorObstacles
{
    private readonly Lock _lock = new();
    private readonly List<(EndPoint EndPoint, bool IsTaken, string Reason)> _notBound = [];

    /// <summary>The endpoints that could not be bound: whether another process listens there, and why.</summary>
    public IReadOnlyList<(EndPoint EndPoint, bool IsTaken, string Reason)> NotBound
    {
        get
        {
            lock (_lock)
            {
                return [.. _notBound];
            }
        }
    }

    /// <summary>Why the server did not start.</summary>
    public string? StartFailure { get; set; }

    /// <summary>Whether another process listens on a port.</summary>
    public bool IsTaken(int port) => NotBound.Any(n => n.IsTaken && n.EndPoint is IPEndPoint ip && ip.Port == port);

    public void Add(EndPoint endPoint, bool isTaken, string reason)
    {
        lock (_lock)
        {
            _notBound.Add((endPoint, isTaken, reason));
        }
    }
}

/// <summary>
/// Listens like Kestrel does, but carries on if an endpoint cannot be bound: the doctor is called while the app runs, or because it cannot
/// listen.
/// </summary>
internal sealed class DoctorListenerFactory(
    DoctorObstacles obstacles, IOptions<SocketTransportOptions> options, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(options, loggers);

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _sockets.BindAsync(endpoint, cancellationToken);
        }
        catch (AddressInUseException)
        {
            obstacles.Add(endpoint, isTaken: true, "another process listens there");
        }
        catch (SocketException exception)
        {
            obstacles.Add(
                endpoint,
                isTaken: false,
                exception.SocketErrorCode == SocketError.AccessDenied ? "the permission is missing" : exception.SocketErrorCode.ToString());
        }

        return new IdleListener(endpoint);
    }

    /// <summary>Accepts nothing until it is unbound.</summary>
    private sealed class IdleListener(EndPoint endPoint) : IConnectionListener
    {
        private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            await _unbound.Task.WaitAsync(cancellationToken);
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult();
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}

/// <summary>
/// Binds nothing for HTTP/3, which the doctor does not examine: the app may be running, and its port and its connections are its own. If it
/// could not be bound, the server would not start.
/// </summary>
internal sealed class DoctorQuic : IMultiplexedConnectionListenerFactory
{
    public ValueTask<IMultiplexedConnectionListener> BindAsync(
        EndPoint endpoint, IFeatureCollection? features = null, CancellationToken cancellationToken = default)
        => new(new IdleListener(endpoint));

    private sealed class IdleListener(EndPoint endPoint) : IMultiplexedConnectionListener
    {
        private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => endPoint;

        public async ValueTask<MultiplexedConnectionContext?> AcceptAsync(
            IFeatureCollection? features = null, CancellationToken cancellationToken = default)
        {
            await _unbound.Task.WaitAsync(cancellationToken);
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult();
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
