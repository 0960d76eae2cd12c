using System.Net;
using System.Net.Http.Headers;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Fetches revocation lists: over http or https, without redirects, within a size and a time, and only when they changed.</summary>
internal sealed class RevocationListClient(TimeProvider time, HttpMessageHandler? handler = null) : IDisposable
{
    private const int MaxLength = 64 * 1024 * 1024;
    private static readonly TimeSpan FetchTime = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http = new(handler ?? new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = GuardedConnection.ConnectAsync,
        ConnectTimeout = TimeSpan.FromSeconds(15),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <param name="url">The distribution point.</param>
    /// <param name="known">What was fetched before; a server that has nothing newer answers without the list.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The list; <see langword="null"/> when it has not changed.</returns>
    /// <exception cref="HttpRequestException">It could not be fetched.</exception>
    /// <exception cref="UnusableRevocationListException">It is too large.</exception>
    public async Task<FetchedRevocationList?> FetchAsync(Uri url, EntityTagHeaderValue? known, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(FetchTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            if (known is not null)
            {
                request.Headers.IfNoneMatch.Add(known);
            }

            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (response.StatusCode == HttpStatusCode.NotModified)
            {
                return null;
            }

            response.EnsureSuccessStatusCode();
            return new FetchedRevocationList(await ReadAsync(response, both.Token), response.Headers.ETag);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{url} did not answer within {FetchTime.TotalMinutes:0} minutes.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxLength)
        {
            throw TooLarge();
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var list = new MemoryStream();
        var buffer = new byte[81920];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (list.Length + count > MaxLength)
            {
                throw TooLarge();
            }

            list.Write(buffer, 0, count);
        }

        return list.GetBuffer().AsMemory(0, (int)list.Length);
    }

    private static UnusableRevocationListException TooLarge() => new($"it is larger than {MaxLength >> 20} MiB");
}
