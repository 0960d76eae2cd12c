using System.Net;
using System.Net.Http.Headers;
using System.Numerics;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Fetches revocation lists: over http or https, without redirects, within a size and a time, and only when they changed.</summary>
internal sealed class RevocationListClient(TimeProvider time, HttpMessageHandler? handler = null) : IDisposable
{
    /// <summary>The longest list that is read.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    private static readonly TimeSpan FetchTime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(25);

    /// <param name="url">The distribution point.</param>
    /// <param name="authority">The directory of the authority whose certificates name it: a list on this machine is fetched only if the
    /// authority is there as well.</param>
    /// <param name="known">What was fetched before; a server that has nothing newer answers without the list.</param>
    /// <param name="read">Reads the list while it arrives.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The list; <see langword="null"/> when it has not changed.</returns>
    /// <exception cref="HttpRequestException">It could not be fetched.</exception>
    /// <exception cref="UnusableRevocationListException">It is too large, or no list.</exception>
    public async Task<FetchedRevocationList?> FetchAsync(
        Uri url,
        Uri authority,
        EntityTagHeaderValue? known,
        Func<Stream, CancellationToken, Task<RevocationList>> read,
        CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(FetchTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // Once a day, and of any server: nothing is gained by connections that are kept.
            using var http = new HttpClient(handler ?? NewHandler(authority), disposeHandler: handler is null);
            http.Timeout = Timeout.InfiniteTimeSpan;
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            if (known is not null)
            {
                request.Headers.IfNoneMatch.Add(known);
            }

            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (response.StatusCode == HttpStatusCode.NotModified)
            {
                return null;
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new HttpRequestException($"{url} answered {(int)response.StatusCode}");
            }

            if (response.Content.Headers.ContentLength > MaxLength)
            {
                throw TooLarge();
            }

            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            return new FetchedRevocationList(await read(body, both.Token), response.Headers.ETag);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{url} did not answer within {FetchTime.TotalMinutes:0} minutes.");
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or UnusableRevocationListException))
        {
            // Whatever a stranger sends makes HttpClient throw: it could not be fetched.
            throw new HttpRequestException(QuotedText.Words(exception.Message, QuotedText.MaxReplyLength), exception);
        }
    }

    public void Dispose() => handler?.Dispose();

    public static UnusableRevocationListException TooLarge() => new($"it is larger than {MaxLength >> 20} MiB");

    private SocketsHttpHandler NewHandler(Uri authority) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = GuardedConnection.WithinReachOf(authority, time).ConnectAsync,
        ConnectTimeout = ConnectTime,
    };
}

/// <summary>A revocation list as it was fetched and read.</summary>
internal sealed record FetchedRevocationList(RevocationList List, EntityTagHeaderValue? Tag);

/// <summary>What matters of a certificate revocation list (RFC 5280 section 5): whether it is genuine was checked before.</summary>
/// <param name="Number">The CRL number; it never goes down.</param>
/// <param name="ThisUpdate">When it was issued.</param>
/// <param name="Revoked">The serial numbers that were asked about and are on it, in hexadecimal, with the time and the reason.</param>
internal sealed record RevocationList(BigInteger? Number, DateTimeOffset ThisUpdate, IReadOnlyList<RevokedEntry> Revoked);
