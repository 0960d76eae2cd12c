using System.Net;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>Asks the permission of the app, or the URL of the configuration: within a bounded time, and only so many at once.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class OnDemandPermission(
    IEnumerable<IIssuancePermission> permissions,
    IServiceScopeFactory scopes,
    ConfigurationSource configuration,
    AcmeHttpsMetrics metrics,
    TimeProvider time,
    ILogger<OnDemandPermission> logger) : IDisposable
{
    // More would only be more load for the database behind it.
    private const int MaxConcurrent = 64;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReportPause = TimeSpan.FromMinutes(1);

    private readonly IIssuancePermission? _own = permissions.LastOrDefault();
    private readonly Lazy<HttpPermission> _http = new(() => new HttpPermission());
    private readonly SemaphoreSlim _turns = new(MaxConcurrent);
    private long _reported;

    /// <summary>Whether there is somebody to ask.</summary>
    public bool Exists => _own is not null || configuration.Current.OnDemand?.AskUrl is not null;

    /// <summary>Asks about a name. Every failure, and no response in time, is <see cref="IssuanceDecision.Unknown"/>.</summary>
    /// <param name="name">The name or address.</param>
    /// <param name="client">The client that waits, if there is one.</param>
    /// <param name="hasCertificate">Whether a certificate is stored.</param>
    /// <param name="cancellationToken">Canceled when the application stops.</param>
    public async Task<IssuanceDecision> AskAsync(
        string name, IPAddress? client, bool hasCertificate, CancellationToken cancellationToken)
    {
        IssuanceDecision decision;
        using var limit = new TimeLimit(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await _turns.WaitAsync(both.Token);
            try
            {
                // A permission that ignores its token must not keep the connection.
                decision = await DecideAsync(name, client, hasCertificate, both.Token).WaitOrAbandonAsync(both.Token);
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (Exception exception)
        {
            Report(exception, cancellationToken);
            decision = IssuanceDecision.Unknown("the permission failed or did not respond");
        }

        metrics.OnDemandAsked(decision.ToString());
        return decision;
    }

    public void Dispose()
    {
        _turns.Dispose();
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    private async Task<IssuanceDecision> DecideAsync(
        string name, IPAddress? client, bool hasCertificate, CancellationToken cancellationToken)
    {
        if (_own is null)
        {
            return configuration.Current.OnDemand?.AskUrl is { } url
                ? await _http.Value.AskAsync(url, name, cancellationToken)
                : IssuanceDecision.Unknown("nobody decides about names on demand");
        }

        var context = new IssuanceContext(scopes) { ClientAddress = client, HasCertificate = hasCertificate };
        try
        {
            return await _own.AskAsync(name, context, cancellationToken);
        }
        finally
        {
            await context.EndAsync();
        }
    }

    // At most once a minute: strangers decide how often it is asked.
    private void Report(Exception exception, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        var last = Volatile.Read(ref _reported);
        if (!cancellationToken.IsCancellationRequested
            && (last == 0 || time.GetElapsedTime(last, now) > ReportPause)
            && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            logger.OnDemandPermissionFailed(exception);
        }
    }
}

/// <summary>Asks a URL whether a name may have a certificate: every 2xx status is a yes, everything else a no.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class HttpPermission : IDisposable
{
    private const int MaxHeaders = 16;

    // The endpoint is in trouble, which says nothing about the name.
    private static readonly TimeSpan ShortDenial = TimeSpan.FromSeconds(5);

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        MaxResponseHeadersLength = MaxHeaders,

        // The body is not read. A connection whose response is short can be used again.
        MaxResponseDrainSize = 16 * 1024,
        ResponseDrainTimeout = TimeSpan.FromMilliseconds(100),
    });

    /// <exception cref="HttpRequestException">The URL could not be reached.</exception>
    public async Task<IssuanceDecision> AskAsync(Uri url, string name, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, WithName(url, name));
        using var response = await _client.SendAsync(request, cancellationToken);
        return response.IsSuccessStatusCode ? IssuanceDecision.Allow()
            : (int)response.StatusCode >= 500 ? IssuanceDecision.Deny(ShortDenial, $"the URL returned {(int)response.StatusCode}")
            : IssuanceDecision.Deny(null, $"the URL returned {(int)response.StatusCode}");
    }

    /// <summary>Adds the name to the query of the URL.</summary>
    internal static Uri WithName(Uri url, string name)
    {
        var query = url.Query.Length > 1 ? $"{url.Query}&" : "?";
        return new UriBuilder(url) { Query = $"{query}domain={Uri.EscapeDataString(name)}" }.Uri;
    }

    public void Dispose() => _client.Dispose();
}
