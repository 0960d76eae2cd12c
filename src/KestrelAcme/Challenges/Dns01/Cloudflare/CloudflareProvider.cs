using System.Collections.Concurrent;
using System.Net.Http.Json;
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
}
