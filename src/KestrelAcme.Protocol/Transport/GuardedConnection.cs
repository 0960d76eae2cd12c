using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Opens connections for HTTP handlers: to the first address of a host that responds (RFC 8305), but never to an address closer to this
/// machine than the server itself. A URL that a CA or a certificate specifies must not reach a service that listens only on this
/// machine, or a cloud's metadata service. Thread-safe.
/// </summary>
public sealed class GuardedConnection
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly Uri? _origin;
    private readonly TimeProvider _time;
    private readonly BrokenAddresses _broken;
    private readonly ResolveHost _resolve = Dns.GetHostAddressesAsync;

    private GuardedConnection(Uri? origin, TimeProvider time) => (_origin, _time, _broken) = (origin, time, new BrokenAddresses(time));

    internal GuardedConnection(Uri? origin, TimeProvider time, ResolveHost resolve)
        : this(origin, time) => _resolve = resolve;

    internal delegate Task<IPAddress[]> ResolveHost(string host, AddressFamily family, CancellationToken cancellationToken);

    /// <summary>
    /// For URLs chosen by a server. Connects to addresses of this machine or its link only if the server is there itself.
    /// </summary>
    /// <param name="origin">The URL that the operator configured for the server, such as a CA's directory.</param>
    /// <param name="time">The clock for timeouts.</param>
    public static GuardedConnection WithinReachOf(Uri origin, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(time);
        return new GuardedConnection(origin, time);
    }

    /// <summary>For URLs chosen by the operator. Connects to any address.</summary>
    /// <param name="time">The clock for timeouts.</param>
    public static GuardedConnection Anywhere(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return new GuardedConnection(null, time);
    }

    /// <summary>Whether an address is on this machine: loopback or unspecified.</summary>
    /// <param name="address">The address; an IPv6 address may embed an IPv4 address (mapped, NAT64, 6to4 and so on).</param>
    public static bool IsThisMachine(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return AddressReaches.Of(address) == AddressReach.ThisMachine;
    }

    /// <summary>Whether an address is link-local or belongs to a cloud's metadata service.</summary>
    /// <param name="address">The address; an IPv6 address may embed an IPv4 address (mapped, NAT64, 6to4 and so on).</param>
    public static bool IsLinkLocal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return AddressReaches.Of(address) is AddressReach.ThisLink or AddressReach.CloudMetadata;
    }

    /// <summary>Opens a connection; for <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <param name="context">The target of the connection.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The connection, owned by the handler.</returns>
    /// <exception cref="IOException">No address is allowed, or none responded; the message lists each.</exception>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var target = context.InitialRequestMessage.RequestUri;

        // The operator chose the proxy, so its address is not checked; the server chose the target.
        var isProxy = target is not null && !string.Equals(target.IdnHost, host, StringComparison.OrdinalIgnoreCase);
        if (isProxy && _origin is not null && !UrlPolicy.IsWithinReach(target!, _origin))
        {
            throw new ConnectFailedException(
                $"{target!.IdnHost} is not requested through the proxy {host}: it is {AddressReaches.Of(target).Describe()}, "
                + $"but {_origin.IdnHost} is not");
        }

        var addresses = await ResolveAsync(host, context.DnsEndPoint.AddressFamily, cancellationToken).ConfigureAwait(false);
        var allowed = new List<IPAddress>();
        var notTried = new List<string>();
        foreach (var address in addresses)
        {
            var reach = AddressReaches.Of(address);
            if (isProxy || IsAllowed(reach, target, host))
            {
                allowed.Add(address);
            }
            else
            {
                notTried.Add($"{address} was not tried: it is {reach.Describe()}, but {_origin!.IdnHost} is not");
            }
        }

        var connection = await HappyEyeballs.ConnectAsync(
            $"{(host.Contains(':') ? $"[{host}]" : host)}:{port}",
            allowed.Count == 0 ? [] : _broken.PutLast(HappyEyeballs.Order(allowed)),
            notTried,
            (address, token) => ConnectAsync(new IPEndPoint(address, port), isProxy, token),
            Timeout,
            _time,
            cancellationToken).ConfigureAwait(false);

        // Connections that lose the race are closed unused, which says nothing about their addresses.
        (connection as FirstOctetStream)?.Watch();
        return connection;
    }

    /// <summary>
    /// Whether an address may be connected to. The server's own name may resolve to this machine, but only TLS proves that this is not the
    /// doing of an attacker's DNS.
    /// </summary>
    private bool IsAllowed(AddressReach reach, Uri? target, string host)
        => reach == AddressReach.Network
            || _origin is null
            || AddressReaches.Of(_origin) == reach
            || (target?.Scheme == Uri.UriSchemeHttps && string.Equals(_origin.IdnHost, host, StringComparison.OrdinalIgnoreCase));

    private async Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }

        using var limit = new TimeLimit(Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var addresses = await _resolve(host, family, either.Token).WaitOrAbandonAsync(either.Token).ConfigureAwait(false);
            return addresses.Length > 0
                ? addresses
                : throw new ConnectFailedException($"the host name {host} has no address", isNameResolution: true);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new ConnectFailedException($"the host name {host} does not resolve: {e.Message.TrimEnd('.')}", isNameResolution: true, e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ConnectFailedException(
                $"this machine's DNS did not resolve {host} within {Timeout.TotalSeconds:0} s", isNameResolution: true);
        }
    }

    private async Task<Stream> ConnectAsync(IPEndPoint endpoint, bool isProxy, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return isProxy ? stream : new FirstOctetStream(stream, isBroken => _broken.Note(endpoint.Address, isBroken));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>
/// Remembers addresses that recently accepted a connection but sent nothing on it, such as a load balancer without a server behind it.
/// For RFC 8305 such an address responds and would win every time. Thread-safe.
/// </summary>
internal sealed class BrokenAddresses(TimeProvider time)
{
    private const int MaxKept = 64;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<IPAddress, long> _since = new();

    /// <summary>Moves those addresses to the end.</summary>
    public IReadOnlyList<IPAddress> PutLast(IReadOnlyList<IPAddress> addresses)
        => _since.IsEmpty ? addresses : [.. addresses.OrderBy(IsBroken)];

    /// <summary>Records whether an address sent anything on a connection.</summary>
    public void Note(IPAddress address, bool isBroken)
    {
        if (!isBroken)
        {
            _since.TryRemove(address, out _);
        }
        else if (_since.Count < MaxKept || _since.ContainsKey(address))
        {
            _since[address] = time.GetTimestamp();
        }
        else
        {
            _since.Clear();
        }
    }

    private bool IsBroken(IPAddress address) => _since.TryGetValue(address, out var since) && time.GetElapsedTime(since) < Kept;
}
