using System.IO.Pipelines;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Looks at the first bytes of a connection without consuming them, and decides which certificate it gets before TLS starts.</summary>
/// <remarks>What the handshake needs is made here, where waiting holds up this connection and no other.</remarks>
/// <param name="next">What comes behind: TLS, mostly.</param>
/// <param name="handshakeTimeout">The endpoint's time-out for handshakes, where it is known.</param>
/// <param name="services">What all endpoints share.</param>
internal sealed class ClientHelloMiddleware(ConnectionDelegate next, TimeSpan? handshakeTimeout, ClientHelloServices services)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<TlsSelection>() is not null)
        {
            // The endpoint has the middleware twice: by default, and by UseAcmeHttps.
            return next(connection);
        }

        // Most clients' bytes are there at once or never: the time-out is set up only for those that keep us waiting.
        if (!TryRead(connection, out var result, out var broken))
        {
            return broken ? Task.CompletedTask : WaitAsync(connection, new ClientHelloReader());
        }

        var reader = new ClientHelloReader();
        var status = reader.Read(result.Buffer, out var hello);
        connection.Transport.Input.AdvanceTo(result.Buffer.Start, status == ClientHelloStatus.Incomplete ? result.Buffer.End : result.Buffer.Start);
        return status switch
        {
            ClientHelloStatus.NotTls => next(connection),
            ClientHelloStatus.Incomplete => result.IsCompleted ? Task.CompletedTask : WaitAsync(connection, reader),
            _ => DecideAsync(connection, status, hello, next),
        };
    }

    // A client that resets the connection before we look is no error of the server.
    private bool TryRead(ConnectionContext connection, out ReadResult result, out bool broken)
    {
        try
        {
            broken = false;
            return connection.Transport.Input.TryRead(out result);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            services.Logger.ClientHelloBroken(exception.Message);
            (result, broken) = (default, true);
            return false;
        }
    }

    private async Task WaitAsync(ConnectionContext connection, ClientHelloReader reader)
    {
        var start = services.TimeProvider.GetTimestamp();
        var (status, hello) = await ReadAsync(connection, reader);
        switch (status)
        {
            case ClientHelloStatus.NotTls:
                await next(connection);
                break;
            case ClientHelloStatus.Incomplete:
                // Gone, or too slow: Kestrel closes what we return from.
                break;
            default:
                await DecideAsync(connection, status, hello, NextAfter(services.TimeProvider.GetElapsedTime(start)));
                break;
        }
    }

    /// <summary>What comes behind, with the rest of the time for the handshake where a good part of it is gone; for a moment's delay no timer is set up.</summary>
    private ConnectionDelegate NextAfter(TimeSpan elapsed)
        => handshakeTimeout is { } timeout && elapsed > timeout / 10 ? NextWithin(timeout > elapsed ? timeout - elapsed : TimeSpan.Zero) : next;

    private ConnectionDelegate NextWithin(TimeSpan rest) => connection => HandshakeDeadline.RunAsync(connection, next, rest, services.TimeProvider);

    private async Task<(ClientHelloStatus Status, ClientHello Hello)> ReadAsync(ConnectionContext connection, ClientHelloReader reader)
    {
        var input = connection.Transport.Input;
        var timeout = handshakeTimeout ?? services.Settings.Current.HandshakePeekTimeout;
        using var deadline = new TimeLimit(timeout, services.TimeProvider);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(deadline.Token);
                var status = reader.Read(result.Buffer, out var hello);
                input.AdvanceTo(result.Buffer.Start, status == ClientHelloStatus.Incomplete ? result.Buffer.End : result.Buffer.Start);
                if (status != ClientHelloStatus.Incomplete || result.IsCompleted || result.IsCanceled)
                {
                    return (status, hello);
                }
            }
        }
        catch (OperationCanceledException)
        {
            services.Logger.ClientHelloTimedOut(timeout);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            services.Logger.ClientHelloBroken(exception.Message);
        }

        return (ClientHelloStatus.Incomplete, default);
    }

    // The ClientHello ends here: what lives as long as the connection should be small.
    private Task DecideAsync(ConnectionContext connection, ClientHelloStatus status, in ClientHello hello, ConnectionDelegate then)
        => GoOnAsync(
            connection,
            status == ClientHelloStatus.Complete
                ? services.Selector.SelectAsync(hello, LocalAddress(connection))
                : new(new TlsSelection(TlsOutcome.Malformed)),
            then);

    private async Task GoOnAsync(ConnectionContext connection, ValueTask<TlsSelection> selecting, ConnectionDelegate then)
    {
        var selection = await selecting;
        if (selection.Outcome == TlsOutcome.Challenge)
        {
            await services.Challenges.AnswerAsync(connection, selection);
            return;
        }

        connection.Features.Set(selection);
        await then(connection);
    }

    internal static IPAddress? LocalAddress(BaseConnectionContext connection) =>
        (connection.LocalEndPoint as IPEndPoint)?.Address is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) : null;
}

/// <summary>What the connection middleware of every endpoint shares.</summary>
internal sealed class ClientHelloServices(
    ITlsSettingsSource settings, TlsSelector selector, ChallengeResponder challenges, TimeProvider timeProvider, ILogger<ClientHelloMiddleware> logger)
{
    public ITlsSettingsSource Settings { get; } = settings;

    public TlsSelector Selector { get; } = selector;

    public ChallengeResponder Challenges { get; } = challenges;

    public TimeProvider TimeProvider { get; } = timeProvider;

    public ILogger Logger { get; } = logger;
}
