using System.IO.Pipelines;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Reads the ClientHello of a connection without consuming it, and selects the certificate before TLS starts.</summary>
/// <remarks>Everything that the handshake needs is prepared here, where waiting delays only this connection.</remarks>
/// <param name="next">The rest of the pipeline, which usually begins with TLS.</param>
/// <param name="handshakeTimeout">The endpoint's time-out for handshakes, if it is known.</param>
/// <param name="services">The services that all endpoints share.</param>
internal sealed class ClientHelloMiddleware(ConnectionDelegate next, TimeSpan? handshakeTimeout, ClientHelloServices services)
{
    // What a client may send while its connection waits for a certificate on demand: early data for another server, which had the name.
    private const long MaxMore = 16 * 1024;

    /// <summary>The HTTPS options of the endpoint, if they are known.</summary>
    public HttpsEndpoint? Endpoint { get; init; }

    /// <summary>Whether the app alone chooses the certificates of the endpoint, as with a callback for each handshake.</summary>
    public bool IsOfTheApp { get; init; }

    /// <summary>The endpoint's Sni section, if it has one.</summary>
    public EndpointSni? Sni { get; init; }

    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<TlsSelection>() is not null)
        {
            // The endpoint has this middleware twice: by default, and by UseAcmeHttps.
            return next(connection);
        }

        // The bytes of most clients are there at once. A time-out is created only for the others.
        if (!TryRead(connection, out var result, out var broken))
        {
            return broken ? Task.CompletedTask : WaitAsync(connection, new ClientHelloReader());
        }

        var reader = new ClientHelloReader();
        var status = reader.Read(result.Buffer, out var hello);
        Advance(connection.Transport.Input, result, status);
        return status switch
        {
            ClientHelloStatus.NotTls => next(connection),
            ClientHelloStatus.Incomplete => result.IsCompleted ? Task.CompletedTask : WaitAsync(connection, reader),
            _ => DecideAsync(connection, status, hello, next),
        };
    }

    private static void Advance(PipeReader input, in ReadResult result, ClientHelloStatus status)
        => input.AdvanceTo(result.Buffer.Start, status == ClientHelloStatus.Incomplete ? result.Buffer.End : result.Buffer.Start);

    // A client that resets the connection early is not an error of the server.
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
                // The client is gone or too slow. Kestrel closes the connection when this method returns.
                break;
            default:
                await DecideAsync(connection, status, hello, NextAfter(services.TimeProvider.GetElapsedTime(start)));
                break;
        }
    }

    /// <summary>
    /// Returns the rest of the pipeline. If much of the time for the handshake is gone, it runs with the remaining time; a short delay
    /// needs no timer.
    /// </summary>
    private ConnectionDelegate NextAfter(TimeSpan elapsed)
        => handshakeTimeout is { } timeout && elapsed > timeout / 10
            ? NextWithin(timeout > elapsed ? timeout - elapsed : TimeSpan.Zero)
            : next;

    private ConnectionDelegate NextWithin(TimeSpan rest)
        => connection => HandshakeDeadline.RunAsync(connection, next, rest, services.TimeProvider);

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
                Advance(input, result, status);
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

    // The ClientHello is not used after this, to keep the state that lives as long as the connection small.
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

        if (selection.Outcome == TlsOutcome.NoChallenge)
        {
            services.Challenges.Unknown();
        }

        if (selection is AwaitedSelection awaited)
        {
            // Kestrel serves the endpoint's own certificate for any name, and what the Sni section has a certificate for, and refuses what
            // the section does not have.
            var wanted = IsOfTheApp || Endpoint is { IsOurs: false } || Sni?.LeavesToUs(awaited.ServerName) == false ? false
                : await WaitForCertificateAsync(connection, awaited);
            if (wanted is not { } isWanted)
            {
                return;
            }

            selection = await services.Selector.SelectAgainAsync(awaited, isWanted);
        }

        connection.Features.Set(selection);
        await then(connection);
    }

    /// <summary>
    /// Waits for a certificate on demand. A client that sends much more than its ClientHello meanwhile is not waited for any longer: no
    /// client has to, and what it sends takes memory.
    /// </summary>
    /// <returns>
    /// <see langword="false"/> if the name gets no certificate; <see langword="null"/> if the connection is to be closed.
    /// </returns>
    private async Task<bool?> WaitForCertificateAsync(ConnectionContext connection, AwaitedSelection awaited)
    {
        using var limit = new TimeLimit(handshakeTimeout ?? services.Settings.Current.HandshakePeekTimeout, services.TimeProvider);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, connection.ConnectionClosed);
        HeldInput input;
        try
        {
            connection.Transport = input = new HeldInput(connection.Transport);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            services.Logger.ClientHelloBroken(exception.Message);
            return null;
        }

        var length = input.Length;
        var waiting = services.Selector.OnDemand!.WaitAsync(awaited.Wanted, RemoteAddress(connection), length, gone.Token);
        while (!waiting.IsCompleted)
        {
            if (await Task.WhenAny(waiting, input.ArrivalAsync()) != waiting && !input.TryKeep(length + MaxMore))
            {
                gone.CancelQuietly();
                await waiting;
                return null;
            }
        }

        var isWanted = await waiting;
        return connection.ConnectionClosed.IsCancellationRequested ? null : isWanted;
    }

    private static IPAddress? RemoteAddress(BaseConnectionContext connection)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        return address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
    }

    internal static IPAddress? LocalAddress(BaseConnectionContext connection)
    {
        var address = (connection.LocalEndPoint as IPEndPoint)?.Address;
        return address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
    }
}

/// <summary>
/// Aborts a connection whose handshake is not completed in time. Kestrel gives each handshake the endpoint's whole time-out from the moment
/// when its TLS middleware starts, but a client that was slow before has used part of it.
/// </summary>
internal static class HandshakeDeadline
{
    /// <summary>Runs the rest of the pipeline, as long as the connection lasts.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="next">The rest of the pipeline, which usually begins with TLS.</param>
    /// <param name="rest">The remaining time for the handshake.</param>
    /// <param name="time">The clock.</param>
    public static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next, TimeSpan rest, TimeProvider time)
    {
        await using var deadline = time.CreateTimer(
            static state => End((ConnectionContext)state!), connection, rest, Timeout.InfiniteTimeSpan);
        await next(connection);
    }

    private static void End(ConnectionContext connection)
    {
        try
        {
            if (connection.Features.Get<ISslStreamFeature>() is { SslStream.IsAuthenticated: false })
            {
                connection.Abort(new ConnectionAbortedException("The TLS handshake was not completed in time."));
            }
        }
        catch (Exception)
        {
            // Features are not thread-safe: if another thread changes them now, the handshake is over. Nothing else can be done here.
        }
    }
}

/// <summary>The services that the connection middleware of all endpoints shares.</summary>
internal sealed class ClientHelloServices(
    ITlsSettingsSource settings,
    TlsSelector selector,
    ChallengeResponder challenges,
    TimeProvider timeProvider,
    ILogger<ClientHelloMiddleware> logger)
{
    public ITlsSettingsSource Settings { get; } = settings;

    public TlsSelector Selector { get; } = selector;

    public ChallengeResponder Challenges { get; } = challenges;

    public TimeProvider TimeProvider { get; } = timeProvider;

    public ILogger Logger { get; } = logger;
}
