using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>Changes zones through the Cloudflare API, record by record.</summary>
internal sealed class CloudflareProvider(DnsProviderSettings settings, TimeProvider time) : IDnsProvider, IDisposable
{
    private const int RecordAlreadyExists = 81057;
    private const int IdenticalRecordAlreadyExists = 81058;
    private const int RecordDoesNotExist = 81044;

    private readonly CloudflareApi _api = new(settings, time);

    // A zone that was deleted and created again has another ID, so a cached ID is dropped after an error.
    private readonly ConcurrentDictionary<string, CloudflareZone> _zones = new(StringComparer.Ordinal);

    public string Description => $"Cloudflare at {_api.BaseUrl.Authority}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => InZoneAsync(
        record,
        zone => _api.ChangeAsync(
            HttpMethod.Post,
            $"zones/{zone.Id}/dns_records",
            () => JsonContent.Create(
                new CloudflareRecord("TXT", record.Name, Quoted(record), (long)record.TimeToLive.TotalSeconds),
                CloudflareJsonContext.Default.CloudflareRecord),
            record.Zone,
            code => code is RecordAlreadyExists or IdenticalRecordAlreadyExists,
            cancellationToken),
        cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => InZoneAsync(
        record,
        async zone =>
        {
            var path = $"zones/{zone.Id}/dns_records?type=TXT&name={Uri.EscapeDataString(record.Name)}";
            var type = CloudflareJsonContext.Default.CloudflareEnvelopeCloudflareRecord;
            var records = await _api.ListAsync(path, type, record.Zone, cancellationToken);
            foreach (var existing in records.Where(r => r.Id is not null && IsMeant(r, record)))
            {
                var url = $"zones/{zone.Id}/dns_records/{Uri.EscapeDataString(existing.Id!)}";
                await _api.ChangeAsync(HttpMethod.Delete, url, null, record.Zone, code => code == RecordDoesNotExist, cancellationToken);
            }
        },
        cancellationToken);

    public void Dispose() => _api.Dispose();

    private static string Quoted(DnsTxtRecord record) => $"\"{record.Value}\"";

    // Records that were created by hand may have no quotes.
    private static bool IsMeant(CloudflareRecord existing, DnsTxtRecord record)
        => existing.Type == "TXT"
            && string.Equals(existing.Name, record.Name, StringComparison.OrdinalIgnoreCase)
            && existing.Content.Trim('"') == record.Value;

    private async Task InZoneAsync(DnsTxtRecord record, Func<CloudflareZone, Task> change, CancellationToken cancellationToken)
    {
        var zone = _zones.TryGetValue(record.Zone, out var known) ? known : await FindZoneAsync(record, cancellationToken);
        try
        {
            await change(zone);
            _zones[record.Zone] = zone;
        }
        catch (DnsProviderException)
        {
            _zones.TryRemove(record.Zone, out _);
            throw;
        }
    }

    /// <summary>
    /// Finds the account's zone with the longest name at or above the record's. DNS may show another zone, because an account can have a
    /// zone that is not delegated to it.
    /// </summary>
    private async Task<CloudflareZone> FindZoneAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var labels = record.Name.Split('.');
        for (var first = 0; first < labels.Length - 1; first++)
        {
            var candidate = string.Join('.', labels[first..]);
            if (candidate.Length > record.Zone.Length && labels[first].StartsWith('_'))
            {
                continue;
            }

            var found = await _api.ListAsync(
                $"zones?name={Uri.EscapeDataString(candidate)}",
                CloudflareJsonContext.Default.CloudflareEnvelopeCloudflareZone,
                record.Zone,
                cancellationToken);
            if (found.Find(zone => string.Equals(zone.Name, candidate, StringComparison.OrdinalIgnoreCase)) is { } zone)
            {
                return zone;
            }
        }

        throw new DnsProviderException(
            DnsProviderFault.ZoneNotFound,
            $"{_api.BaseUrl.Authority} shows no zone for {record.Name} (zone {record.Zone}). "
            + "The token needs the permission Zone.Zone Read for it; check that it belongs to the account that has the zone.");
    }

    /// <summary>Calls the Cloudflare API: reads all pages of a list, and quotes errors.</summary>
    private sealed class CloudflareApi : IDisposable
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
}

/// <summary>Options for the API of Cloudflare with a scoped token.</summary>
public sealed class CloudflareOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "Cloudflare";
    internal const string DefaultApiUrl = "https://api.cloudflare.com/client/v4/";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(ApiToken), Required: true, Secret: true)
            {
                Example = "an API token with the permissions Zone.DNS Edit and Zone.Zone Read",
                Check = text => text.All(c => c is > ' ' and < '\u007f') ? null : "is not a token (the value is not shown, it is a secret)",
            },
            new(nameof(ApiUrl)) { Example = DefaultApiUrl, Check = UrlRule.CheckSecure },
        ]);

    /// <summary>
    /// An API token (not the global key) with the permissions <c>Zone.DNS: Edit</c> and <c>Zone.Zone: Read</c> for the zones. Do not keep
    /// it in files under version control.
    /// </summary>
    /// <value>None. Set this or <see cref="ApiTokenFile"/>.</value>
    public string? ApiToken { get => Get(nameof(ApiToken)); set => Set(nameof(ApiToken), value); }

    /// <summary>A file that contains the token. Relative paths are resolved against the content root.</summary>
    /// <value>None.</value>
    public string? ApiTokenFile { get => Get(nameof(ApiTokenFile)); set => Set(nameof(ApiTokenFile), value); }

    /// <summary>The root of the API.</summary>
    /// <value>Cloudflare's.</value>
    public string? ApiUrl { get => Get(nameof(ApiUrl)); set => Set(nameof(ApiUrl), value); }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareZone>))]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareRecord>))]
[JsonSerializable(typeof(CloudflareChange))]
[JsonSerializable(typeof(CloudflareRecord))]
internal sealed partial class CloudflareJsonContext : JsonSerializerContext;

/// <summary>The wrapper of all responses of the API.</summary>
internal sealed record CloudflareEnvelope<T>
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }

    public IReadOnlyList<T>? Result { get; init; }

    public CloudflarePage? ResultInfo { get; init; }
}

/// <summary>The response to a change. Only success and errors matter.</summary>
internal sealed record CloudflareChange
{
    public bool Success { get; init; }

    public IReadOnlyList<CloudflareError>? Errors { get; init; }
}

/// <summary>One element of <c>errors[]</c>. <see cref="ErrorChain"/> contains the causes.</summary>
internal sealed record CloudflareError(int Code, string? Message, IReadOnlyList<CloudflareError>? ErrorChain = null)
{
    public string Describe()
        => ErrorChain is { Count: > 0 } chain
            ? $"{Message} (code {Code}): {string.Join(", ", chain.Take(5).Select(e => $"{e.Message} (code {e.Code})"))}"
            : $"{Message} (code {Code})";
}

/// <summary>The position of a response in a paged list.</summary>
internal sealed record CloudflarePage(int Page, int TotalPages);

/// <summary>A zone.</summary>
internal sealed record CloudflareZone(string Id, string Name);

/// <summary>A DNS record. <see cref="Id"/> is assigned by the API.</summary>
internal sealed record CloudflareRecord(string Type, string Name, string Content, long? Ttl = null, string? Id = null);
