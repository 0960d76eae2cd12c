using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Resolvers;
using KestrelAcme.DnsClient.Transport;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient;

/// <summary>
/// Sends queries over UDP with EDNS(0) and over TCP (RFC 1035, 6891, 7766), and signed updates (RFC 2136, 8945). It keeps no connections
/// and caches no responses. Thread-safe; create one and reuse it. Failures throw a <see cref="DnsException"/>; a canceled call throws
/// <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class DnsQueryClient
{
    private readonly int _attempts;
    private readonly TimeProvider _timeProvider;
    private readonly DnsTransport _transport;
    private readonly ResolverQuery _resolverQuery;

    /// <summary>Creates a client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DnsQueryClient(DnsQueryClientOptions? options = null, TimeProvider? timeProvider = null)
    {
        options ??= new DnsQueryClientOptions();
        options.Validate();
        _attempts = options.Attempts;
        _timeProvider = timeProvider ?? TimeProvider.System;
        _transport = new DnsTransport(options.Timeout, options.Attempts, _timeProvider);
        IPEndPoint[] configured = [.. options.Resolvers];
        var system = new SystemResolvers(_timeProvider);
        _resolverQuery = new ResolverQuery(
            _transport, new SilentServers(_timeProvider), _timeProvider, configured.Length > 0 ? () => configured : system.Get);
    }

    internal TimeProvider TimeProvider => _timeProvider;

    /// <summary>
    /// Queries one server and returns its response, whatever the response code. If the server cannot be reached over UDP or does not
    /// respond, TCP is tried before the call fails, which takes up to twice <see cref="DnsQueryClientOptions.Timeout"/>.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="name">The name to query.</param>
    /// <param name="type">The record type to query.</param>
    /// <param name="recursionDesired">Whether the server should query others (RD): true for a resolver, false for an
    /// authoritative server.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DnsTimeoutException">The server did not respond.</exception>
    /// <exception cref="DnsTransportException">The server could not be reached.</exception>
    /// <exception cref="DnsFormatException">The response is malformed.</exception>
    public Task<DnsResponse> QueryAsync(
        IPEndPoint server,
        DnsName name,
        DnsRecordType type,
        bool recursionDesired = false,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(name);
        return _transport.QueryAsync(server, new DnsQuestion(name, type), recursionDesired, insist: true, cancellationToken);
    }

    /// <summary>
    /// Queries the resolvers in turn until one answers, starting over once after a short pause. Resolvers that recently did not respond
    /// come last. NOERROR (with or without records) and NXDOMAIN are answers; after any other code the next resolver is queried.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered; the message lists each with its failure.</exception>
    public Task<DnsResponse> ResolveAsync(DnsName name, DnsRecordType type, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _resolverQuery.SendAsync(new DnsQuestion(name, type), cancellationToken);
    }

    /// <summary>
    /// Updates a zone at its primary server (RFC 2136), over TCP. Either all changes are made or none. If the response is lost, the
    /// update is sent again, which is safe: every operation of <see cref="DnsUpdate"/> is idempotent.
    /// </summary>
    /// <param name="server">The zone's primary server.</param>
    /// <param name="update">The changes.</param>
    /// <param name="key">The key to sign with and to verify the response with; null to send the update unsigned.</param>
    /// <param name="cancellationToken">Cancels the call; the server may or may not have made the changes.</param>
    /// <exception cref="DnsResponseCodeException">The server rejected the update.</exception>
    /// <exception cref="TsigException">The server rejected the signature, or the signature of its response is invalid.</exception>
    /// <exception cref="DnsTimeoutException">The server did not respond.</exception>
    /// <exception cref="DnsTransportException">The server could not be reached.</exception>
    /// <exception cref="DnsFormatException">The response is malformed.</exception>
    public Task UpdateAsync(IPEndPoint server, DnsUpdate update, TsigKey? key = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(update);
        return UpdateAsync(() => new UpdateExchange(_transport, _timeProvider).SendAsync(server, update, key, cancellationToken));
    }

    private async Task UpdateAsync(Func<Task> attempt)
    {
        for (int left = _attempts; ; left--)
        {
            try
            {
                await attempt().ConfigureAwait(false);
                return;
            }
            catch (DnsException cause) when (left > 1 && cause is DnsTimeoutException or DnsTransportException)
            {
                // The server may be restarting: another attempt may succeed. The last attempt's error is thrown.
            }
        }
    }
}

/// <summary>Options of a <see cref="DnsQueryClient"/>. They are read once, by its constructor.</summary>
public sealed class DnsQueryClientOptions
{
    /// <summary>The recursive resolvers, queried in this order.</summary>
    /// <value>Empty by default: the system's resolvers, which are looked up again if the network changes.</value>
    public IList<IPEndPoint> Resolvers { get; } = [];

    /// <summary>The timeout for the response of one server. UDP and TCP each have their own.</summary>
    /// <value>3 seconds by default; from 1 ms to 5 minutes.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How many datagrams are sent for one query, spread evenly over <see cref="Timeout"/>, until there is a response;
    /// also how often an update is sent.
    /// </summary>
    /// <value>3 by default; from 1 to 10.</value>
    public int Attempts { get; set; } = 3;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Timeout, TimeSpan.FromMilliseconds(1), nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Timeout, TimeSpan.FromMinutes(5), nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(Attempts, 1, nameof(Attempts));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Attempts, 10, nameof(Attempts));
    }
}
