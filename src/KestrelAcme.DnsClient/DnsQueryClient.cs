using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Resolvers;
using KestrelAcme.DnsClient.Transport;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient;

/// <summary>
/// Asks name servers: queries over UDP with EDNS(0) and over TCP (RFC 1035, 6891, 7766), and signed updates (RFC 2136, 8945). It holds
/// no connection and caches no answer, is safe to use from many threads at once, and is meant to be made once. Every failure is a
/// <see cref="DnsException"/>, except that a cancelled call throws <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class DnsQueryClient
{
    private readonly int _attempts;
    private readonly TimeProvider _timeProvider;
    private readonly DnsTransport _transport;
    private readonly ResolverQuery _resolverQuery;

    /// <summary>Makes a requestor.</summary>
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
    /// Asks one server and returns its answer, whatever its code. A server that stays silent over UDP, or cannot be reached, is asked
    /// over TCP, too, before the call fails: that takes up to twice <see cref="DnsQueryClientOptions.Timeout"/>.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="name">The name to ask for.</param>
    /// <param name="type">The type of records to ask for.</param>
    /// <param name="recursionDesired">Whether the server is to ask others (RD): true for a resolver, false for an authority.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="DnsTimeoutException">The server did not answer.</exception>
    /// <exception cref="DnsTransportException">The server could not be reached.</exception>
    /// <exception cref="DnsFormatException">The answer is malformed.</exception>
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
    /// Asks the resolvers in turn, those that were silent a short while ago last, twice over with a short pause between, until one
    /// answers. NOERROR (with or without records) and NXDOMAIN are answers; any other code sends the question to the next resolver.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered; it names each and what it said.</exception>
    public Task<DnsResponse> ResolveAsync(DnsName name, DnsRecordType type, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _resolverQuery.SendAsync(new DnsQuestion(name, type), cancellationToken);
    }

    /// <summary>
    /// Changes a zone at its primary server (RFC 2136), over TCP. All changes are made, or none. An update whose answer is lost is sent
    /// again, which is safe: every operation of <see cref="DnsUpdate"/> has the same effect twice as once.
    /// </summary>
    /// <param name="server">The zone's primary server.</param>
    /// <param name="update">The changes.</param>
    /// <param name="key">The key to sign with, and to verify the answer with; null to send without a signature.</param>
    /// <param name="cancellationToken">Ends the call; whether the server has made the change is then unknown.</param>
    /// <exception cref="DnsResponseCodeException">The server rejected the update.</exception>
    /// <exception cref="TsigException">The server rejected the signature, or the signature of its answer does not pass.</exception>
    /// <exception cref="DnsTimeoutException">The server did not answer.</exception>
    /// <exception cref="DnsTransportException">The server could not be reached.</exception>
    /// <exception cref="DnsFormatException">The answer is malformed.</exception>
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
                // A server that restarts: the next attempt may pass, and the last one's error is told.
            }
        }
    }
}
