using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Says why there was no answer, and what to do.</summary>
internal static class ConnectionFailure
{
    public static AcmeUnreachableException From(AcmeCall call, Exception cause, TimeSpan? timeout)
    {
        var error = (cause as HttpRequestException)?.HttpRequestError;
        var sent = !IsBeforeSending(error);
        var tls = FindTls(cause);
        return new AcmeUnreachableException($"{call.Operation} failed: {Describe(call.Url, cause, error, tls, timeout)}", cause)
        {
            Operation = call.Operation,
            Url = call.Url,
            IsTlsFailure = tls is not null,
            MayHaveTakenEffect = sent && call.HasEffect,
            IsRepeatable = call.IsRepeatable || !sent,
            RequestMayHaveBeenProcessed = sent && !call.IsRepeatable,
        };
    }

    private static bool IsBeforeSending(HttpRequestError? error) => error is HttpRequestError.NameResolutionError
        or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    private static AuthenticationException? FindTls(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is AuthenticationException found)
            {
                return found;
            }
        }

        return null;
    }

    private static string Describe(Uri url, Exception cause, HttpRequestError? error, AuthenticationException? tls, TimeSpan? timeout)
    {
        if (timeout is { } limit)
        {
            return $"{url} did not answer within {limit.TotalSeconds:0.###} s.";
        }

        if (tls is not null)
        {
            return $"the TLS certificate of {url} is not trusted, or TLS failed: {tls.Message.TrimEnd('.')}. "
                + "For a private authority add its root certificate to the trusted roots (AcmeClientOptions.TrustedRoots); else check the URL and this machine's clock and root certificates.";
        }

        return error switch
        {
            HttpRequestError.NameResolutionError => $"the host name of {url} does not resolve. Check the URL and this machine's DNS.",
            HttpRequestError.ConnectionError =>
                $"no connection to {url}: {Innermost(cause)}. Check the URL, and that the firewall lets this machine reach it.",
            HttpRequestError.ProxyTunnelError => $"the proxy did not connect to {url}: {Innermost(cause)}. Check the proxy settings.",
            _ => $"the connection to {url} broke before the whole answer came: {Innermost(cause)}.",
        };
    }

    private static string Innermost(Exception cause) => QuotedText.Words(cause.GetBaseException().Message.TrimEnd('.'), 300);
}
