using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Numerics;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Fetches revocation lists over HTTP or HTTPS: without redirects, within size and time limits, and only if they changed.
/// </summary>
internal sealed class RevocationListClient(TimeProvider time, HttpMessageHandler? handler = null) : IDisposable
{
    /// <summary>The maximum size of a list, in bytes.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    private static readonly TimeSpan FetchTime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(25);

    // Kept, since each remembers the addresses that are broken.
    private readonly ConcurrentDictionary<Uri, GuardedConnection> _guards = new();

    /// <param name="url">The distribution point.</param>
    /// <param name="authority">
    /// The directory URL of the CA whose certificates name the list. A list on this machine is fetched only if the CA is on this machine as
    /// well.
    /// </param>
    /// <param name="known">The entity tag of the last list. If nothing changed, the server responds without the list.</param>
    /// <param name="read">Reads the list while it arrives.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The list; <see langword="null"/> if it has not changed.</returns>
    /// <exception cref="HttpRequestException">The list could not be fetched.</exception>
    /// <exception cref="UnusableRevocationListException">The list is too large, or is not a revocation list.</exception>
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
            // Once a day, and from many servers: keeping connections open gains nothing.
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
                throw new HttpRequestException($"{url} responded with status {(int)response.StatusCode}");
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
            throw new HttpRequestException($"{url} did not respond within {FetchTime.TotalMinutes:0} minutes.");
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or UnusableRevocationListException))
        {
            // HttpClient may throw any exception for what an untrusted server sends. The list could not be fetched.
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
        ConnectCallback = _guards.GetOrAdd(authority, url => GuardedConnection.WithinReachOf(url, time)).ConnectAsync,
        ConnectTimeout = ConnectTime,
    };
}

/// <summary>A fetched revocation list with its entity tag.</summary>
internal sealed record FetchedRevocationList(RevocationList List, EntityTagHeaderValue? Tag);

/// <summary>The relevant contents of a certificate revocation list (RFC 5280 section 5), whose signature was verified.</summary>
/// <param name="Number">The CRL number, which never decreases.</param>
/// <param name="ThisUpdate">The time at which the list was issued.</param>
/// <param name="Revoked">The requested certificates that are on the list, with the time and the reason.</param>
internal sealed record RevocationList(BigInteger? Number, DateTimeOffset ThisUpdate, IReadOnlyList<RevokedEntry> Revoked);

/// <summary>A certificate on a revocation list.</summary>
internal sealed record RevokedEntry(string SerialNumber, DateTimeOffset At, RevocationReason? Reason);

/// <summary>A revocation list that proves nothing: malformed, not signed by the issuer, or about other certificates.</summary>
internal sealed class UnusableRevocationListException(
    string message, Exception? innerException = null) : Exception(QuotedText.Of(message), innerException);
