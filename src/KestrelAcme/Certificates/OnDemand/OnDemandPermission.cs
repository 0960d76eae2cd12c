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
    private const int MaxConcurrent = 48;

    // Names that have a certificate must not wait behind those that strangers make up.
    private const int MaxConcurrentKnown = 16;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReportPause = TimeSpan.FromMinutes(1);

    private readonly IIssuancePermission? _own = permissions.LastOrDefault();
    private readonly Lazy<HttpPermission> _http = new(() => new HttpPermission());

    // Not disposed: a permission that ignores its token gives its turn back at any time.
    private readonly SemaphoreSlim _turns = new(MaxConcurrent);
    private readonly SemaphoreSlim _knownTurns = new(MaxConcurrentKnown);
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
        var turns = hasCertificate ? _knownTurns : _turns;
        using var limit = new TimeLimit(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await turns.WaitAsync(both.Token);
            var token = both.Token;
            var deciding = Task.Run(() => DecideAsync(name, client, hasCertificate, token), CancellationToken.None);

            // The turn ends with the call itself: a permission that hangs, or blocks its thread, must not be called ever more often.
            _ = deciding.ContinueWith(
                static (_, turns) => ((SemaphoreSlim)turns!).Release(), turns, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            decision = await deciding.WaitOrAbandonAsync(token);
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
            if (configuration.Current.OnDemand?.AskUrl is not { } url)
            {
                return IssuanceDecision.Unknown("nobody decides about names on demand");
            }

            var decision = await _http.Value.AskAsync(url, name, cancellationToken);
            if (decision is { IsAllowed: false, Denial: null })
            {
                // The URL is in trouble, or is the wrong one: it does not say so by itself.
                Report(new HttpRequestException($"OnDemand:AskUrl: {decision.Reason}."), cancellationToken);
            }

            return decision;
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

/// <summary>
/// Asks a URL whether a name may have a certificate: every 2xx status is a yes, and a 4xx status a no, except those that say nothing about
/// the name.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class HttpPermission : IDisposable
{
    private const int MaxHeaders = 16;

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        Proxy = new EnvironmentProxy(),
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
        return Decide((int)response.StatusCode);
    }

    /// <summary>Returns what a status means. Sites must not go down because the endpoint, or a proxy before it, is in trouble.</summary>
    internal static IssuanceDecision Decide(int status) => status switch
    {
        >= 200 and < 300 => IssuanceDecision.Allow(),
        >= 400 and < 500 and not (401 or 407 or 408 or 429) => IssuanceDecision.Deny(null, $"the URL returned {status}"),
        _ => IssuanceDecision.Unknown($"the URL returned {status}"),
    };

    /// <summary>Adds the name to the query of the URL.</summary>
    internal static Uri WithName(Uri url, string name)
    {
        var query = url.Query.Length > 1 ? $"{url.Query}&" : "?";
        return new UriBuilder(url) { Query = $"{query}domain={Uri.EscapeDataString(name)}" }.Uri;
    }

    public void Dispose() => _client.Dispose();
}
