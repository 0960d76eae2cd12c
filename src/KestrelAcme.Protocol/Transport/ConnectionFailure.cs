using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Explains why there was no response, and what to do.</summary>
internal static class ConnectionFailure
{
    public static AcmeUnreachableException From(AcmeCall call, Exception cause, TimeSpan? timeout)
    {
        var reason = ReasonOf(cause, timeout is not null);
        var sent = reason is AcmeUnreachableReason.ConnectionLost or AcmeUnreachableReason.TimedOut;
        return new AcmeUnreachableException($"{call.Operation} failed: {Describe(call.Url.AbsoluteUri, cause, reason, timeout)}", cause)
        {
            Operation = call.Operation,
            Url = call.Url,
            Reason = reason,
            IsTlsFailure = reason >= AcmeUnreachableReason.TlsFailed,
            HadTrustedRoots = Find<ServerCertificateException>(cause)?.HadTrustedRoots ?? false,
            MayHaveTakenEffect = sent && call.HasEffect,
            IsRepeatable = call.IsRepeatable || !sent,
            RequestMayHaveBeenProcessed = sent && !call.IsRepeatable,
        };
    }

    private static AcmeUnreachableReason ReasonOf(Exception cause, bool timedOut)
    {
        if (timedOut)
        {
            return AcmeUnreachableReason.TimedOut;
        }

        if (Find<AuthenticationException>(cause) is { } tls)
        {
            return (tls as ServerCertificateException)?.Reason ?? AcmeUnreachableReason.TlsFailed;
        }

        if (Find<ConnectFailedException>(cause) is { } connect)
        {
            return connect.IsNameResolution ? AcmeUnreachableReason.NameNotResolved : AcmeUnreachableReason.NotConnected;
        }

        return (cause as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => AcmeUnreachableReason.NameNotResolved,
            HttpRequestError.ConnectionError => AcmeUnreachableReason.NotConnected,
            HttpRequestError.SecureConnectionError => AcmeUnreachableReason.TlsFailed,
            HttpRequestError.ProxyTunnelError => AcmeUnreachableReason.ProxyFailed,
            _ => AcmeUnreachableReason.ConnectionLost,
        };
    }

    private static string Describe(string url, Exception cause, AcmeUnreachableReason reason, TimeSpan? timeout) => reason switch
    {
        AcmeUnreachableReason.TimedOut => $"{url} did not answer within {timeout!.Value.TotalSeconds:0.###} s.",
        AcmeUnreachableReason.NameNotResolved =>
            $"the host name of {url} does not resolve{Detail(Find<ConnectFailedException>(cause))}. "
            + "Check the host name and this machine's DNS settings.",
        AcmeUnreachableReason.NotConnected =>
            $"{url} cannot be reached: {Find<ConnectFailedException>(cause)?.Message ?? Innermost(cause)}. "
            + "Check that the network and its firewalls allow this machine to reach the server.",
        AcmeUnreachableReason.ProxyFailed => $"the proxy did not connect to {url}: {Innermost(cause)}. Check the proxy settings.",
        >= AcmeUnreachableReason.TlsFailed when Find<ServerCertificateException>(cause) is { } refused
            => $"the TLS certificate of {url} is not accepted: {refused.Message}.",
        AcmeUnreachableReason.TlsFailed => $"TLS with {url} failed: {Innermost(cause)}.",
        _ => $"the connection to {url} broke before the whole response arrived: {Innermost(cause)}.",
    };

    private static string Detail(ConnectFailedException? failure) => failure is null ? "" : $" ({failure.Message})";

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
            {
                return found;
            }
        }

        return null;
    }

    private static string Innermost(Exception cause) => QuotedText.Words(cause.GetBaseException().Message.TrimEnd('.'), 300);
}

/// <summary>No address of a host could be connected to; the message lists each address with its result.</summary>
internal sealed class ConnectFailedException(string message, bool isNameResolution = false, Exception? innerException = null)
    : IOException(QuotedText.Of(message), innerException)
{
    /// <summary>Whether the host name could not be resolved to an address.</summary>
    public bool IsNameResolution => isNameResolution;
}
