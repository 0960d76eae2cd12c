using Azure.Core;
using KestrelAcme.Azure.Api;
using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Azure.Zones;

/// <summary>
/// Finds the zone that holds a record according to DNS, among the configured zones or those of a subscription or resource group. A parent
/// zone is not used, because the delegation hides records in it. Thread-safe.
/// </summary>
internal sealed class AzureZoneFinder(AzureDnsOptions options, AzureApi api, TimeProvider time) : IDisposable
{
    private const int MaxPages = 1000;
    private const string Private =
        "If a private zone of that name hides the public one from this machine, set DnsResolvers to public resolvers.";

    // A second zone with the same name is noticed only when the zones are listed again.
    private static readonly TimeSpan ListLifetime = TimeSpan.FromHours(1);

    private readonly IReadOnlyList<AzureZone>? _configured =
        options.ZoneResourceIds is { } ids ? AzureZone.ParseList(ids) : null;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Listing? _listed;

    /// <exception cref="DnsProviderException">There is no such zone or more than one, or the zones could not be listed.</exception>
    public async Task<AzureZone> FindAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var before = _listed;
        if (before is not null && time.GetElapsedTime(before.At) < ListLifetime
            && AzureZone.Named(before.Zones, record.Zone) is [var known])
        {
            return known;
        }

        // The list may be outdated: if the zone is missing from it, or in it twice, the zones are listed again.
        var zones = AzureZone.Named(_configured ?? await ListAsync(record.Zone, before, cancellationToken), record.Zone);
        return zones switch
        {
            [var zone] => zone,
            [] => throw NotFound(record),
            _ => throw Several(record, zones),
        };
    }

    /// <summary>Lists the zones again before the next change.</summary>
    public void Forget() => _listed = null;

    public void Dispose() => _gate.Dispose();

    private string Scope
    {
        get
        {
            var subscription = $"/subscriptions/{options.SubscriptionId}";
            return options.ResourceGroup is { } group
                ? $"{subscription}/resourceGroups/{Uri.EscapeDataString(group)}"
                : subscription;
        }
    }

    private async Task<IReadOnlyList<AzureZone>> ListAsync(string zone, Listing? before, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Another caller may have listed the zones during the wait.
            if (_listed is not { } listed || ReferenceEquals(listed, before))
            {
                _listed = listed = new Listing(await ReadAsync(zone, cancellationToken), time.GetTimestamp());
            }

            return listed.Zones;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IReadOnlyList<AzureZone>> ReadAsync(string zone, CancellationToken cancellationToken)
    {
        var zones = new List<AzureZone>();
        var pages = new HashSet<Uri>();
        var next = api.Url($"{Scope}/providers/Microsoft.Network/dnsZones");

        // A link back to a page that was already read has nothing new.
        while (next is not null && pages.Count < MaxPages && pages.Add(next))
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

            next = Next(answer, list.NextLink, zone);
        }

        return zones;
    }

    private Uri? Next(AzureResponse answer, string? link, string zone)
    {
        if (string.IsNullOrEmpty(link))
        {
            return null;
        }

        // The token is sent along, so the link must lead to the same server.
        return Uri.TryCreate(link, UriKind.Absolute, out var url) && url.Scheme == api.Endpoint.Scheme
            && string.Equals(url.Authority, api.Endpoint.Authority, StringComparison.OrdinalIgnoreCase)
            ? url
            : throw new DnsProviderException(
                DnsProviderFault.Refused,
                $"{api.Endpoint.Authority} continues the list of zones (for zone {zone}) at {answer.Quote(link)}, "
                + "another server, which is not followed.");
    }

    private DnsProviderException NotFound(DnsTxtRecord record) => new(
        DnsProviderFault.ZoneNotFound,
        _configured is null
            ? $"{api.Endpoint.Authority} shows no zone named {record.Zone}, which in DNS holds {record.Name}, in {Scope}. "
                + $"Is it the right one, and has the identity the role 'DNS Zone Contributor' there? {Private}"
            : $"None of ZoneResourceIds at {api.Endpoint.Authority} is zone {record.Zone}, which in DNS holds {record.Name}. "
                + $"Add the zone's resource ID. {Private}");

    private DnsProviderException Several(DnsTxtRecord record, IReadOnlyList<AzureZone> zones) => new(
        DnsProviderFault.SetUpNeeded,
        $"{api.Endpoint.Authority} has {zones.Count} zones named {record.Zone} in {Scope}, but DNS uses only one of them. " +
        "Set ZoneResourceIds to the ID of that one: " +
        $"{QuotedText.Words(string.Join(", ", zones.Select(zone => zone.ResourceId)), QuotedText.MaxReplyLength)}.");

    private sealed record Listing(IReadOnlyList<AzureZone> Zones, long At);
}
