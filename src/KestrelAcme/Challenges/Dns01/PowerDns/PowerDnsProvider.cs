using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>
/// Changes zones through the HTTP API of PowerDNS. Version 5.0 and later can add and remove single values. Earlier versions replace whole
/// record sets unconditionally: the set is read, changed and written back, and two writers at the same time lose each other's values. So
/// the set is checked again after a pause that is longer than such a change takes, and written again until the change persists.
/// </summary>
internal sealed class PowerDnsProvider : IDnsProvider, IDisposable
{
    private const string Advice = "Compare ApiKey with the api-key of pdns.conf, and webserver-allow-from with this machine's address.";

    private const int MaxWrites = 10;
    private const int Attempts = 5;
    private static readonly TimeSpan LeastSettleTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestSettleTime = TimeSpan.FromSeconds(10);

    private readonly DnsApiClient _api;
    private readonly string _server;
    private readonly TimeProvider _time;
    private volatile bool _replacesOnly;

    public PowerDnsProvider(DnsProviderSettings settings, TimeProvider time)
    {
        _time = time;
        _api = new DnsApiClient(new Uri(settings.Get(nameof(PowerDnsOptions.ApiUrl))), time);
        _api.Headers.TryAddWithoutValidation("X-API-Key", settings.Get(nameof(PowerDnsOptions.ApiKey)));
        _server = $"api/v1/servers/{Uri.EscapeDataString(settings.Find(nameof(PowerDnsOptions.ServerId)) ?? "localhost")}";
    }

    public string Description => $"PowerDNS at {_api.BaseUrl}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => ChangeAsync(record, isWanted: true, cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => ChangeAsync(record, isWanted: false, cancellationToken);

    public void Dispose() => _api.Dispose();

    private async Task ChangeAsync(DnsTxtRecord record, bool isWanted, CancellationToken cancellationToken)
    {
        var settled = LeastSettleTime;
        var since = _time.GetTimestamp();
        for (var (writes, failures) = (0, 0); ;)
        {
            var start = _time.GetTimestamp();
            var zone = await ReadAsync(record, cancellationToken);
            var set = zone.Rrsets?.FirstOrDefault(
                s => s.Type == "TXT" && string.Equals(s.Name, record.Name + ".", StringComparison.OrdinalIgnoreCase));
            if (PowerDnsChange.Has(set, record) == isWanted)
            {
                // A writer that read the set before this change may still write it
                // back without the value. Wait until that is no longer possible.
                if ((!isWanted && writes == 0) || _time.GetElapsedTime(since) is var elapsed && elapsed >= settled)
                {
                    return;
                }

                await Task.Delay(settled - elapsed, _time, cancellationToken);
                continue;
            }

            if (++writes > MaxWrites)
            {
                throw new DnsProviderException(
                    DnsProviderFault.Unavailable,
                    $"{_api.BaseUrl.Authority}: others changed the TXT records of {record.Name} in zone {record.Zone} back "
                    + $"after each of {MaxWrites} changes. Check whether something else manages this name.");
            }

            try
            {
                var whole = PowerDnsChange.WithDisabled(set, await DisabledAsync(record, cancellationToken), record);
                await WriteAsync(whole, record, isWanted, cancellationToken);
            }
            catch (DnsProviderException exception)
                when (exception.Fault == DnsProviderFault.Unavailable
                    && ++failures < Attempts
                    && exception.RetryAfter is not { TotalSeconds: > 10 })
            {
                // The set is read again, because it may have changed by the next attempt.
                await Task.Delay((exception.RetryAfter ?? failures * LeastSettleTime) + Jitter(), _time, cancellationToken);
                continue;
            }

            // Other writers use the same server, so their changes take as long
            // as this one. Jitter keeps two writers from colliding repeatedly.
            since = _time.GetTimestamp();
            var slow = 4 * _time.GetElapsedTime(start, since);
            settled = (slow < LeastSettleTime ? LeastSettleTime : slow > LongestSettleTime ? LongestSettleTime : slow)
                + Jitter();
            await NotifyAsync(zone, record, cancellationToken);
        }
    }

    private static TimeSpan Jitter() => TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(500));

    private async Task WriteAsync(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted, CancellationToken cancellationToken)
    {
        if (!_replacesOnly && PowerDnsChange.OfOneValue(set, record, isWanted) is { } single)
        {
            var response = await PatchAsync(single, record, cancellationToken);
            if (response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity))
            {
                _ = response.IsSuccess ? response : throw Failure(response, record);
                return;
            }

            // Earlier versions do not support this kind of change. If the reason
            // is another one, replacing the set fails, too, and reports it.
            _replacesOnly = Words(response).Contains("changetype", StringComparison.OrdinalIgnoreCase);
        }

        var replaced = await PatchAsync(PowerDnsChange.OfWholeSet(set, record, isWanted), record, cancellationToken);
        _ = replaced.IsSuccess ? replaced : throw Failure(replaced, record);
    }

    private Task<DnsApiResponse> PatchAsync(PowerDnsRecordSet change, DnsTxtRecord record, CancellationToken cancellationToken)
        => _api.SendOnceAsync(
            HttpMethod.Patch,
            PathOf(record),
            () => JsonContent.Create(new PowerDnsZone(Rrsets: [change]), PowerDnsJsonContext.Default.PowerDnsZone),
            record.Zone,
            cancellationToken);

    private async Task<PowerDnsZone> ReadAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        // Versions before 4.8 ignore the filter and return the whole zone.
        var filter = $"?rrset_name={Uri.EscapeDataString(record.Name + ".")}&rrset_type=TXT";
        var response = await _api.SendAsync(HttpMethod.Get, PathOf(record) + filter, null, record.Zone, cancellationToken);
        return response.IsSuccess && response.Read(PowerDnsJsonContext.Default.PowerDnsZone) is { } zone
            ? zone
            : throw Failure(response, record);
    }

    /// <summary>
    /// Returns the disabled records of the name. Versions before 5.0 omit them
    /// in the filtered view of a zone, and a whole zone may be too long to read.
    /// </summary>
    private async Task<IReadOnlyList<PowerDnsFound>> DisabledAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var path = $"{_server}/search-data?q={Uri.EscapeDataString(record.Name)}&object_type=record&max=1000";
        var response = await _api.SendAsync(HttpMethod.Get, path, null, record.Zone, cancellationToken);

        // If the server cannot search, or does not allow it, no disabled records are visible.
        var found = response.IsSuccess ? response.Read(PowerDnsJsonContext.Default.IReadOnlyListPowerDnsFound) : null;
        return [.. (found ?? []).Where(r => r.Disabled && r.Type == "TXT" && Is(r.Name, record.Name) && Is(r.Zone, record.Zone))];

        static bool Is(string? text, string name) => string.Equals(text?.TrimEnd('.'), name, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Notifies the secondary servers now. Otherwise the server does so within a minute.</summary>
    private async Task NotifyAsync(PowerDnsZone zone, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        if (zone.Kind is "Master" or "Primary" or "Producer")
        {
            // The result does not matter, because every server is queried before the challenge is submitted.
            await _api.SendAsync(HttpMethod.Put, PathOf(record) + "/notify", null, record.Zone, cancellationToken);
        }
    }

    private string PathOf(DnsTxtRecord record) => $"{_server}/zones/{Uri.EscapeDataString(record.Zone + ".")}";

    private DnsProviderException Failure(DnsApiResponse response, DnsTxtRecord record)
    {
        var words = Words(response);

        // Some versions respond with 422 for an unknown zone.
        return response.StatusCode == HttpStatusCode.UnprocessableEntity
            && words.Contains("Could not find domain", StringComparison.OrdinalIgnoreCase)
                ? new DnsProviderException(
                    DnsProviderFault.ZoneNotFound, $"{_api.BaseUrl.Authority} does not have zone {record.Zone}: {words}.")
                {
                    RetryAfter = response.RetryAfter,
                }
                : _api.Failure(response, record.Zone, words, Advice);
    }

    private static string Words(DnsApiResponse response)
        => response.Read(PowerDnsJsonContext.Default.PowerDnsError) is { Error: { } error } all
            ? response.Quote(string.Join("; ", [error, .. all.Errors ?? []]))
            : response.Text;
}

/// <summary>Options for the HTTP API of a PowerDNS authoritative server.</summary>
public sealed class PowerDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "PowerDns";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(ApiUrl), Required: true) { Example = "http://127.0.0.1:8081/", Check = UrlRule.Check },
            new(nameof(ApiKey), Required: true, Secret: true) { Example = "the api-key of pdns.conf" },
            new(nameof(ServerId)) { Example = "localhost" },
        ]);

    /// <summary>The root of the API (<c>webserver-address</c> and <c>webserver-port</c> of pdns.conf), without <c>api/v1</c>.</summary>
    /// <value>None: required.</value>
    public string? ApiUrl { get => Get(nameof(ApiUrl)); set => Set(nameof(ApiUrl), value); }

    /// <summary>The <c>api-key</c> of pdns.conf. Do not keep it in files under version control.</summary>
    /// <value>None. Set this or <see cref="ApiKeyFile"/>.</value>
    public string? ApiKey { get => Get(nameof(ApiKey)); set => Set(nameof(ApiKey), value); }

    /// <summary>A file that contains the key. Relative paths are resolved against the content root.</summary>
    /// <value>None.</value>
    public string? ApiKeyFile { get => Get(nameof(ApiKeyFile)); set => Set(nameof(ApiKeyFile), value); }

    /// <summary>The ID of the server in the API.</summary>
    /// <value><c>localhost</c>.</value>
    public string? ServerId { get => Get(nameof(ServerId)); set => Set(nameof(ServerId), value); }
}

/// <summary>
/// Computes the change that adds a value to the TXT records of a name or removes it. Everything else is preserved: other values, disabled
/// records, the TTL, and comments, which the server keeps if none are sent and records are left. Pure.
/// </summary>
internal static class PowerDnsChange
{
    public static bool Has(PowerDnsRecordSet? set, DnsTxtRecord record)
        => set?.Records?.Any(r => !r.Disabled && r.Content == Quoted(record)) == true;

    /// <summary>
    /// Returns a change of the single value, which servers of version 5.0 and
    /// later support; <see langword="null"/> if the whole set must be replaced.
    /// </summary>
    public static PowerDnsRecordSet? OfOneValue(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
        // The server extends the enabled records and stores the result, so disabled records would be lost.
        => set?.Records?.Any(r => r.Disabled) == true
            ? null
            : new PowerDnsRecordSet(
                record.Name + ".", "TXT", TimeToLive(set, record), isWanted ? "EXTEND" : "PRUNE", [new(Quoted(record))]);

    public static PowerDnsRecordSet OfWholeSet(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
    {
        // A disabled record of the same value is enabled instead, because both cannot exist.
        var others = (set?.Records ?? []).Where(r => r.Content != Quoted(record) || (r.Disabled && !isWanted));
        IReadOnlyList<PowerDnsRecord> records = isWanted ? [.. others, new(Quoted(record))] : [.. others];
        return records.Count == 0
            ? new PowerDnsRecordSet(record.Name + ".", "TXT", Changetype: "DELETE")
            : new PowerDnsRecordSet(record.Name + ".", "TXT", TimeToLive(set, record), "REPLACE", records);
    }

    /// <summary>Adds the disabled records that a filtered view of the set may omit.</summary>
    public static PowerDnsRecordSet? WithDisabled(
        PowerDnsRecordSet? set, IReadOnlyList<PowerDnsFound> disabled, DnsTxtRecord record)
    {
        var known = set?.Records ?? [];
        var missing = disabled.Where(d => d.Content is not null && !known.Any(r => r.Content == d.Content)).ToList();
        if (missing.Count == 0)
        {
            return set;
        }

        var whole = set ?? new PowerDnsRecordSet(record.Name + ".", "TXT", missing[0].Ttl);
        return whole with { Records = [.. known, .. missing.Select(d => new PowerDnsRecord(d.Content!, Disabled: true))] };
    }

    private static long TimeToLive(PowerDnsRecordSet? set, DnsTxtRecord record) => set?.Ttl ?? (long)record.TimeToLive.TotalSeconds;

    private static string Quoted(DnsTxtRecord record) => $"\"{record.Value}\"";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PowerDnsZone))]
[JsonSerializable(typeof(PowerDnsError))]
[JsonSerializable(typeof(IReadOnlyList<PowerDnsFound>))]
internal sealed partial class PowerDnsJsonContext : JsonSerializerContext;

/// <summary>A zone, or a change of one, in the format of the API.</summary>
internal sealed record PowerDnsZone(string? Kind = null, IReadOnlyList<PowerDnsRecordSet>? Rrsets = null);

/// <summary>The records of a name and type.</summary>
internal sealed record PowerDnsRecordSet(
    string Name, string Type, long? Ttl = null, string? Changetype = null, IReadOnlyList<PowerDnsRecord>? Records = null);

/// <summary>A DNS record. The content of a TXT record is quoted.</summary>
internal sealed record PowerDnsRecord(string Content, bool Disabled = false);

/// <summary>A search result.</summary>
internal sealed record PowerDnsFound(string? Name, string? Zone, string? Type, string? Content, long? Ttl = null, bool Disabled = false);

/// <summary>An error response of the API.</summary>
internal sealed record PowerDnsError(string? Error, IReadOnlyList<string>? Errors = null);
