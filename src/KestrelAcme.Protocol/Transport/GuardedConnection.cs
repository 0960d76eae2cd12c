using System.Net;
using System.Net.Sockets;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Connects HTTP handlers: to the first address of a host that answers (RFC 8305), and never to an address nearer to this machine than is
/// right. What an authority or a certificate
/// names as a URL must not reach a service that listens for this machine alone, or a cloud machine's metadata service. Thread-safe.
/// </summary>
public sealed class GuardedConnection
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly Uri? _origin;
    private readonly TimeProvider _time;
    private readonly ResolveHost _resolve = Dns.GetHostAddressesAsync;

    private GuardedConnection(Uri? origin, TimeProvider time) => (_origin, _time) = (origin, time);

    internal GuardedConnection(Uri? origin, TimeProvider time, ResolveHost resolve)
        : this(origin, time) => _resolve = resolve;

    internal delegate Task<IPAddress[]> ResolveHost(string host, AddressFamily family, CancellationToken cancellationToken);

    /// <summary>
    /// For URLs that a server chooses: addresses of this machine and of its link are connected to only if the server is there itself.
    /// </summary>
    /// <param name="origin">The URL by which the operator named the server, such as an authority's directory.</param>
    /// <param name="time">The clock for time-outs.</param>
    public static GuardedConnection WithinReachOf(Uri origin, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(time);
        return new GuardedConnection(origin, time);
    }

    /// <summary>For URLs that the operator chose: any address.</summary>
    /// <param name="time">The clock for time-outs.</param>
    public static GuardedConnection Anywhere(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return new GuardedConnection(null, time);
    }

    /// <summary>Whether an address leads to this machine: loopback or unspecified.</summary>
    /// <param name="address">The address; one of IPv4 may be inside one of IPv6 (mapped, NAT64, 6to4 and the like).</param>
    public static bool IsThisMachine(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return AddressReaches.Of(address) == AddressReach.ThisMachine;
    }

    /// <summary>Whether an address leads to the link only, or to a cloud's metadata service.</summary>
    /// <param name="address">The address; one of IPv4 may be inside one of IPv6 (mapped, NAT64, 6to4 and the like).</param>
    public static bool IsLinkLocal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return AddressReaches.Of(address) is AddressReach.ThisLink or AddressReach.CloudMetadata;
    }

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <param name="context">Where the handler connects to.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The connection; the handler owns it.</returns>
    /// <exception cref="IOException">There is no address that may be connected to, or none answered; the message names each.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var target = context.InitialRequestMessage.RequestUri;

        // A proxy is the operator's choice, wherever it is; what it is asked for is the server's.
        var isProxy = target is not null && !string.Equals(target.IdnHost, host, StringComparison.OrdinalIgnoreCase);
        if (isProxy && _origin is not null && !UrlPolicy.IsWithinReach(target!, _origin))
        {
            throw new ConnectFailedException(
                $"{target!.IdnHost} is not asked for, through the proxy {host}: it is {AddressReaches.Of(target).Describe()}, "
                + $"and {_origin.IdnHost} is not there");
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
                notTried.Add($"{address} was not tried: it is {reach.Describe()}, and {_origin!.IdnHost} is not there");
            }
        }

        return await HappyEyeballs.ConnectAsync(
            $"{(host.Contains(':') ? $"[{host}]" : host)}:{port}",
            allowed.Count == 0 ? [] : HappyEyeballs.Order(allowed),
            notTried,
            (address, token) => ConnectAsync(new IPEndPoint(address, port), token),
            Timeout,
            _time,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether a host's address may be connected to. The origin's own name may be that of this machine; but only TLS proves that it is not
    /// an attacker's DNS that says so.
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
            var addresses = await _resolve(host, family, either.Token).ConfigureAwait(false);
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
                $"this machine's DNS did not answer within {Timeout.TotalSeconds:0} s about {host}", isNameResolution: true);
        }
    }

    private static async Task<Stream> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
