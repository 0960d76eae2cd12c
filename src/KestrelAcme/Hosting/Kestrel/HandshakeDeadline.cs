using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// Ends a connection whose handshake is not over in time. Kestrel gives each handshake the endpoint's whole time-out, from when its TLS is reached: a client that was slow before that has had a
/// part of it.
/// </summary>
internal static class HandshakeDeadline
{
    /// <summary>Runs what comes behind on the connection, however long it lasts.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="next">What comes behind: TLS, mostly.</param>
    /// <param name="rest">How long the handshake may still take.</param>
    /// <param name="time">The clock.</param>
    public static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next, TimeSpan rest, TimeProvider time)
    {
        await using var deadline = time.CreateTimer(static state => End((ConnectionContext)state!), connection, rest, Timeout.InfiniteTimeSpan);
        await next(connection);
    }

    private static void End(ConnectionContext connection)
    {
        try
        {
            if (connection.Features.Get<ISslStreamFeature>() is { SslStream.IsAuthenticated: false })
            {
                connection.Abort(new ConnectionAbortedException("The handshake was not over in time."));
            }
        }
        catch (Exception)
        {
            // Features are not made for two threads: whoever changes them at this moment is past the handshake. Nothing else can be done about a connection that cannot be ended.
        }
    }
}
