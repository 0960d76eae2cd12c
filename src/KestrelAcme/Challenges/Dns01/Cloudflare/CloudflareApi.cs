using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>Calls the Cloudflare API: reads all pages of a list, and quotes errors.</summary>
internal sealed class CloudflareApi : IDisposable
{
    private const int PageSize = 50;
    private const int MaxPages = 100;
    private const string Advice = "The token needs the permissions Zone.DNS Edit and Zone.Zone Read for this zone.";

    private readonly DnsApiClient _client;

    public CloudflareApi(DnsProviderSettings settings, TimeProvider time)
    {
        var url = settings.Find(nameof(CloudflareOptions.ApiUrl)) ?? CloudflareOptions.DefaultApiUrl;
        _client = new DnsApiClient(new Uri(url), time);
        _client.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Get(nameof(CloudflareOptions.ApiToken)));
    }

    public Uri BaseUrl => _client.BaseUrl;

    /// <summary>Returns all elements of a list.</summary>
    public async Task<List<T>> ListAsync<T>(
        string path, JsonTypeInfo<CloudflareEnvelope<T>> type, string zone, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        for (var page = 1; page <= MaxPages; page++)
        {
            var url = $"{path}&page={page}&per_page={PageSize}";
            var response = await _client.SendAsync(HttpMethod.Get, url, null, zone, cancellationToken);
            if (!response.IsSuccess || response.Read(type) is not { Success: true, Result: { } elements } envelope)
            {
                throw Failure(response, zone);
            }

            all.AddRange(elements);
            if (envelope.ResultInfo is not { } info || info.TotalPages <= page)
            {
                break;
            }
        }

        return all;
    }

    /// <summary>Makes a change. The caller decides which error codes mean that the change was already made.</summary>
    public async Task ChangeAsync(
        HttpMethod method,
        string path,
        Func<HttpContent>? content,
        string zone,
        Func<int, bool> isDoneAlready,
        CancellationToken cancellationToken)
    {
        var response = await _client.SendAsync(method, path, content, zone, cancellationToken);
        var change = response.Read(CloudflareJsonContext.Default.CloudflareChange);
        var done = response.IsSuccess
            ? change is not { Success: false }
            : change?.Errors?.Any(error => isDoneAlready(error.Code)) == true;
        if (!done)
        {
            throw Failure(response, zone);
        }
    }

    public void Dispose() => _client.Dispose();

    private DnsProviderException Failure(DnsApiResponse response, string zone)
    {
        var errors = response.Read(CloudflareJsonContext.Default.CloudflareChange)?.Errors ?? [];
        var words = errors.Count == 0
            ? response.Text
            : response.Quote(string.Join("; ", errors.Take(5).Select(error => error.Describe())));
        return _client.Failure(response, zone, words, Advice);
    }
}
