using Azure.Core;
using KestrelAcme.Azure.Api;
using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Configuration;

namespace KestrelAcme.Azure.Zones;

/// <summary>Finds the zone that holds a name: among those of the configuration, or those that a subscription or a resource group has. Safe for concurrent use.</summary>
internal sealed class AzureZoneFinder(DnsProviderSettings settings, AzureApi api) : IDisposable
{
    private const int MaxPages = 1000;

    private readonly IReadOnlyList<AzureZone>? _configured = settings.Find(nameof(AzureDnsOptions.ZoneResourceIds)) is { } ids ? AzureZone.ParseList(ids) : null;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile IReadOnlyList<AzureZone>? _listed;

    /// <exception cref="DnsProviderException">No zone is for it, or they could not be listed.</exception>
    public async Task<AzureZone> FindAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        // What was listed may be old: a zone that is missing from it is looked for once more.
        if ((_configured ?? _listed) is { } known && AzureZone.Longest(known, record.Name) is { } zone)
        {
            return zone;
        }

        return (_configured is null ? AzureZone.Longest(await ListAsync(record.Zone, cancellationToken), record.Name) : null) ?? throw NotFound(record);
    }

    /// <summary>Lists again before the next change.</summary>
    public void Forget() => _listed = null;

    public void Dispose() => _gate.Dispose();

    private string Scope
    {
        get
        {
            var subscription = $"/subscriptions/{settings.Find(nameof(AzureDnsOptions.SubscriptionId))}";
            return settings.Find(nameof(AzureDnsOptions.ResourceGroup)) is { } group ? $"{subscription}/resourceGroups/{Uri.EscapeDataString(group)}" : subscription;
        }
    }

    private async Task<IReadOnlyList<AzureZone>> ListAsync(string zone, CancellationToken cancellationToken)
    {
        var before = _listed;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Whoever waited here need not ask for what was just listed.
            return _listed is { } listed && !ReferenceEquals(listed, before) ? listed : _listed = await ReadAsync(zone, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IReadOnlyList<AzureZone>> ReadAsync(string zone, CancellationToken cancellationToken)
    {
        var zones = new List<AzureZone>();
        var next = api.Url($"{Scope}/providers/Microsoft.Network/dnsZones");
        for (var page = 0; page < MaxPages && next is not null; page++)
        {
            var answer = await api.SendAsync(new AzureRequest(RequestMethod.Get, next, zone), cancellationToken);
            if (!answer.IsSuccess || answer.Read(AzureJsonContext.Default.AzureZonePage) is not { } list)
            {
                throw AzureFailures.Refused(answer, api.Endpoint, zone, Scope);
            }

            foreach (var element in list.Value ?? [])
            {
                if (AzureZone.TryParse(element.Id, out var found))
                {
                    zones.Add(found);
                }
            }

            next = Next(list.NextLink, zone);
        }

        return zones;
    }

    private Uri? Next(string? link, string zone)
    {
        if (string.IsNullOrEmpty(link))
        {
            return null;
        }

        // The token is sent along: to nobody but the one that it is for.
        return Uri.TryCreate(link, UriKind.Absolute, out var url) && url.Scheme == api.Endpoint.Scheme && string.Equals(url.Authority, api.Endpoint.Authority, StringComparison.OrdinalIgnoreCase)
            ? url
            : throw new DnsProviderException(DnsProviderFault.Refused, $"{api.Endpoint.Authority} continues the list of zones (for zone {zone}) at {QuotedText.Clean(link)}, another server, which is not followed.");
    }

    private DnsProviderException NotFound(DnsTxtRecord record) => new(
        DnsProviderFault.ZoneNotFound,
        _configured is null
            ? $"{api.Endpoint.Authority} shows no zone for {record.Name} (zone {record.Zone}) in {Scope}. Is it the right one, and has the identity the role 'DNS Zone Contributor' there?"
            : $"None of ZoneResourceIds, which {api.Endpoint.Authority} would be asked for, is for {record.Name} (zone {record.Zone}). Add the zone's resource id.");
}
