using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>Requests to Cloudflare's API: pages put together, errors quoted.</summary>
internal sealed class CloudflareApi : IDisposable
{
    private const int PageSize = 50;
    private const int MaxPages = 100;
    private const string Advice = "The token needs the permissions Zone.DNS Edit and Zone.Zone Read for this zone.";

    private readonly DnsApiClient _client;

    public CloudflareApi(DnsProviderSettings settings, TimeProvider time)
    {
        _client = new DnsApiClient(new Uri(settings.Find(nameof(CloudflareOptions.ApiUrl)) ?? CloudflareOptions.DefaultApiUrl), time);
        _client.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Get(nameof(CloudflareOptions.ApiToken)));
    }

    public Uri BaseUrl => _client.BaseUrl;

    /// <summary>All elements of a list.</summary>
    public async Task<List<T>> ListAsync<T>(string path, JsonTypeInfo<CloudflareEnvelope<T>> type, string zone, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        for (var page = 1; page <= MaxPages; page++)
        {
            var answer = await _client.SendAsync(HttpMethod.Get, $"{path}&page={page}&per_page={PageSize}", null, zone, cancellationToken);
            if (!answer.IsSuccess || answer.Read(type) is not { Success: true, Result: { } elements } envelope)
            {
                throw Failure(answer, zone);
            }

            all.AddRange(elements);
            if (envelope.ResultInfo is not { } info || info.TotalPages <= page)
            {
                break;
            }
        }

        return all;
    }

    /// <summary>Makes a change; what an error's code may be besides success is up to the caller.</summary>
    public async Task ChangeAsync(HttpMethod method, string path, Func<HttpContent>? content, string zone, Func<int, bool> isDoneAlready, CancellationToken cancellationToken)
    {
        var answer = await _client.SendAsync(method, path, content, zone, cancellationToken);
        var change = answer.Read(CloudflareJsonContext.Default.CloudflareChange);
        var done = answer.IsSuccess ? change is not { Success: false } : change?.Errors?.Any(error => isDoneAlready(error.Code)) == true;
        if (!done)
        {
            throw Failure(answer, zone);
        }
    }

    public void Dispose() => _client.Dispose();

    private DnsProviderException Failure(DnsApiResponse answer, string zone)
    {
        var errors = answer.Read(CloudflareJsonContext.Default.CloudflareChange)?.Errors ?? [];
        var words = errors.Count == 0 ? answer.Text : answer.Quote(string.Join("; ", errors.Take(5).Select(error => error.Describe())));
        return _client.Failure(answer, zone, words, Advice);
    }
}
