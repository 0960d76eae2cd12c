using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Refuses a handshake with an alert (RFC 8446 section 6.2), in a way that Kestrel logs at level Debug.</summary>
internal static class HandshakeRefusal
{
    private const byte DecodeError = 50;
    private const byte UnrecognizedName = 112;

    /// <summary>Sends the alert and returns the exception that ends the handshake.</summary>
    public static AuthenticationException Refuse(ConnectionContext connection, TlsSelection selection, ILogger logger)
    {
        logger.HandshakeRefused(selection.Outcome.ToString(), selection.ServerName);
        var alert = selection.Outcome == TlsOutcome.Malformed ? DecodeError : UnrecognizedName;
        ReadOnlySpan<byte> record = [21, 3, 3, 0, 2, 2, alert];
        record.CopyTo(connection.Transport.Output.GetSpan(record.Length));
        connection.Transport.Output.Advance(record.Length);
        var flush = connection.Transport.Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            // Seven bytes need no wait, unless the client is gone, and then the result does not matter.
            _ = flush.AsTask().ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }

        return new AuthenticationException($"No certificate for this server name ({selection.Outcome}).");
    }
}
