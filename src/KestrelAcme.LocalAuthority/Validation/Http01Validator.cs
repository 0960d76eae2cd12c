using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>
/// Validates http-01 (RFC 8555 section 8.3): fetches the key authorization over HTTP and follows redirects, as public
/// CAs do.
/// </summary>
internal sealed class Http01Validator : IChallengeValidator, IDisposable
{
    private const int MostRedirects = 10;
    private const int MostBytes = 128;

    private readonly ValidationAddresses _addresses;
    private readonly HttpMessageInvoker _client;

    public Http01Validator(ValidationAddresses addresses)
    {
        _addresses = addresses;
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = ConnectAsync,

#pragma warning disable CA5359 // Redirects to HTTPS are followed whatever the certificate, because it is the one about to be issued.
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
        });
    }

    public string Type => ChallengeTypes.Http01;

    public async Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        var url = FirstUrl(target);
        try
        {
            for (var hops = 0; hops <= MostRedirects; hops++)
            {
                using var request = Request(url);
                using var response = await _client.SendAsync(request, cancellationToken);
                if (!IsRedirect(response))
                {
                    return await CheckAsync(response, url, target, cancellationToken);
                }

                var next = response.Headers.Location is { } location ? new Uri(url, location) : null;
                if (next is null || next.Scheme is not ("http" or "https"))
                {
                    return Problem.Of("connection", 400, $"{url} redirects to '{response.Headers.Location}', which cannot be followed.");
                }

                url = next;
            }

            return Problem.Of("connection", 400, $"More than {MostRedirects} redirects.");
        }
        catch (HttpRequestException e)
        {
            return e.InnerException is UnresolvedNameException unresolved
                ? Problem.Of("dns", 400, unresolved.Message)
                : Problem.Of("connection", 400, $"Fetching {url} failed: {e.InnerException?.Message ?? e.Message}");
        }
        catch (IOException e)
        {
            return Problem.Of("connection", 400, $"Fetching {url} failed: {e.Message}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static Uri FirstUrl(ChallengeTarget target)
    {
        var value = target.Identifier.Value;
        var host = target.Identifier.Type == Identifier.Ip && value.Contains(':', StringComparison.Ordinal) ? $"[{value}]" : value;
        return new Uri($"http://{host}/.well-known/acme-challenge/{target.Token}");
    }

    private static HttpRequestMessage Request(Uri url)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("User-Agent", "KestrelAcme.LocalAuthority (validation)");
        request.Headers.ConnectionClose = true;
        return request;
    }

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private static async Task<Problem?> CheckAsync(
        HttpResponseMessage response, Uri url, ChallengeTarget target, CancellationToken cancellationToken)
    {
        if ((int)response.StatusCode != 200)
        {
            return Problem.Unauthorized($"{url} answered with status {(int)response.StatusCode}, not 200.");
        }

        var buffer = new byte[MostBytes];
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var read = await body.ReadAtLeastAsync(buffer, MostBytes, throwOnEndOfStream: false, cancellationToken);
        var found = buffer.AsSpan(0, read).TrimEnd(" \t\r\n"u8);
        return CryptographicOperations.FixedTimeEquals(found, Encoding.ASCII.GetBytes(target.KeyAuthorization))
            ? null
            : Problem.Unauthorized($"{url} did not respond with the key authorization, but with {found.Length} other bytes.");
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host.Trim('[', ']');
        var endpoint = _addresses.Find(host)?.For(context.DnsEndPoint.Port) ?? throw new UnresolvedNameException(host);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
