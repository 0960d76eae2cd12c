using System.Net;
using System.Net.Sockets;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Connects to the first address that responds (RFC 8305). Address families alternate; the next address is tried 250 ms after the
/// previous one, or as soon as that fails. The first connection wins and all others are closed. An address that drops packets costs a
/// quarter of a second, not the whole timeout.
/// </summary>
internal static class HappyEyeballs
{
    /// <summary>The Connection Attempt Delay of RFC 8305 section 5.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    private const int MaxAddresses = 16;

    /// <summary>
    /// Returns the order in which addresses are tried (RFC 8305 section 4): as sorted by the resolver, but alternating between families.
    /// </summary>
    public static IReadOnlyList<IPAddress> Order(IReadOnlyList<IPAddress> addresses)
    {
        var first = new Queue<IPAddress>(addresses.Where(a => a.AddressFamily == addresses[0].AddressFamily).Distinct());
        var second = new Queue<IPAddress>(addresses.Where(a => a.AddressFamily != addresses[0].AddressFamily).Distinct());
        var order = new List<IPAddress>(addresses.Count);
        while (order.Count < MaxAddresses && (first.Count > 0 || second.Count > 0))
        {
            if (first.TryDequeue(out var address))
            {
                order.Add(address);
            }

            (first, second) = second.Count > 0 ? (second, first) : (first, second);
        }

        return order;
    }

    /// <summary>Connects.</summary>
    /// <param name="target">The target of the connection, for messages.</param>
    /// <param name="addresses">The addresses in the order to try them; at least one.</param>
    /// <param name="notTried">Descriptions of skipped addresses, for messages.</param>
    /// <param name="connect">Opens a connection to one address.</param>
    /// <param name="timeout">The timeout for all attempts together.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ConnectFailedException">No address responded in time.</exception>
    public static async Task<Stream> ConnectAsync(
        string target,
        IReadOnlyList<IPAddress> addresses,
        IReadOnlyList<string> notTried,
        Func<IPAddress, CancellationToken, Task<Stream>> connect,
        TimeSpan timeout,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var running = new List<Attempt>();
        var outcomes = new List<string>(notTried);
        Exception? cause = null;
        try
        {
            for (var next = 0; next < addresses.Count || running.Count > 0;)
            {
                if (next < addresses.Count && !ended.IsCancellationRequested)
                {
                    running.Add(new Attempt(addresses[next], time.GetTimestamp(), connect(addresses[next], ended.Token)));
                    next++;
                }
                else if (running.Count == 0)
                {
                    break;
                }

                var isLast = next == addresses.Count || ended.IsCancellationRequested;
                if (await FirstDoneAsync(running, isLast, time, ended.Token).ConfigureAwait(false) is not { } done)
                {
                    continue;
                }

                running.Remove(done);
                if (done.Connection.IsCompletedSuccessfully)
                {
                    return await done.Connection.ConfigureAwait(false);
                }

                cancellationToken.ThrowIfCancellationRequested();
                cause = done.Connection.Exception?.GetBaseException() ?? cause;
                outcomes.Add($"{done.Address} {Outcome(done, time)}");
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw new ConnectFailedException($"no connection to {target}: {string.Join("; ", outcomes)}", innerException: cause);
        }
        finally
        {
            await ended.CancelQuietlyAsync().ConfigureAwait(false);
            foreach (var loser in running)
            {
                _ = CloseAsync(loser.Connection);
            }
        }
    }

    /// <returns>A completed attempt; <see langword="null"/> if it is time for the next attempt.</returns>
    private static async Task<Attempt?> FirstDoneAsync(
        List<Attempt> running, bool isLast, TimeProvider time, CancellationToken cancellationToken)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = running.Select(a => (Task)a.Connection).ToList();
        if (!isLast)
        {
            waits.Add(Task.Delay(AttemptDelay, time, pause.Token));
        }

        await Task.WhenAny(waits).ConfigureAwait(false);
        await pause.CancelQuietlyAsync().ConfigureAwait(false);
        return running.Find(a => a.Connection.IsCompletedSuccessfully) ?? running.Find(a => a.Connection.IsCompleted);
    }

    private static string Outcome(Attempt attempt, TimeProvider time)
    {
        if (attempt.Connection.IsCanceled || attempt.Connection.Exception?.GetBaseException() is OperationCanceledException)
        {
            return $"did not answer within {Math.Round(time.GetElapsedTime(attempt.Since).TotalSeconds):0} s";
        }

        return attempt.Connection.Exception?.GetBaseException() switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "refused the connection",
            SocketException { SocketErrorCode: SocketError.TimedOut } => "did not answer",
            SocketException
            {
                SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressNotAvailable
                    or SocketError.AddressFamilyNotSupported
            } => "cannot be reached: there is no route to it from this machine",
            { } other => $"failed ({other.Message.TrimEnd('.')})",
            null => "failed",
        };
    }

    private static async Task CloseAsync(Task<Stream> connection)
    {
        try
        {
            var stream = await connection.ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Another attempt won, so the reason for this failure is irrelevant.
        }
    }

    private sealed record Attempt(IPAddress Address, long Since, Task<Stream> Connection);
}
