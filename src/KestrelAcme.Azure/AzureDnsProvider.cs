using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;
using KestrelAcme.Azure.Api;
using KestrelAcme.Azure.Json;
using KestrelAcme.Azure.Zones;
using KestrelAcme.Challenges.Dns01;

namespace KestrelAcme.Azure;

/// <summary>
/// Changes zones of Azure DNS. Azure keeps all values of a name in one resource, which is read, changed, and written back if
/// nobody else has changed it in the meantime.
/// </summary>
internal sealed class AzureDnsProvider : IDnsProvider, IDisposable
{
    private const int PreconditionFailed = 412;
    private const int NotFound = 404;
    private const int Attempts = 10;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly AzureApi _api;
    private readonly AzureZoneFinder _zones;
    private readonly TimeProvider _time;

    public AzureDnsProvider(AzureDnsOptions options, TokenCredential credential, HttpPipelineTransport? transport, TimeProvider time)
    {
        _time = time;
        var endpoint = new Uri(options.ResourceManagerEndpoint ?? AzureDnsOptions.PublicCloud);
        _api = new AzureApi(endpoint, credential, AzureCredentials.SecretsOf(options), transport, time);
        _zones = new AzureZoneFinder(options, _api, time);
    }

    public string Description => $"Azure DNS at {_api.Endpoint.Authority}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) =>
        ChangeAsync(record, set => RecordSetChange.Add(set, record), cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) =>
        ChangeAsync(record, set => RecordSetChange.Remove(set, record), cancellationToken);

    public void Dispose()
    {
        _zones.Dispose();
        _api.Dispose();
    }

    private async Task ChangeAsync(
        DnsTxtRecord record,
        Func<AzureRecordSetProperties?, AzureRecordSetProperties?> change,
        CancellationToken cancellationToken)
    {
        var zone = await _zones.FindAsync(record, cancellationToken);
        try
        {
            var pause = FirstPause;
            for (var attempt = 1; !await TryChangeAsync(zone, record, change, cancellationToken); attempt++, pause *= 1.5)
            {
                if (attempt == Attempts)
                {
                    throw new DnsProviderException(
                        DnsProviderFault.Unavailable,
                        $"{_api.Endpoint.Authority}: the TXT records of {record.Name} in zone {zone.Name} were changed by others "
                        + $"in each of {Attempts} attempts.");
                }

                await Task.Delay(pause, _time, cancellationToken);
            }
        }
        catch (DnsProviderException exception) when (exception.Fault == DnsProviderFault.ZoneNotFound)
        {
            // The zone may have been moved to another resource group.
            _zones.Forget();
            throw;
        }
    }

    /// <returns>Whether the set is now as wanted; false if somebody else has changed it in the meantime.</returns>
    private async Task<bool> TryChangeAsync(
        AzureZone zone,
        DnsTxtRecord record,
        Func<AzureRecordSetProperties?, AzureRecordSetProperties?> change,
        CancellationToken cancellationToken)
    {
        var url = _api.Url(zone.RecordSet(record.Name));
        var current = await ReadAsync(zone, url, cancellationToken);
        var wanted = change(current?.Properties);
        if (ReferenceEquals(wanted, current?.Properties))
        {
            return true;
        }

        var answer = await _api.SendAsync(
            new AzureRequest(wanted is null ? RequestMethod.Delete : RequestMethod.Put, url, zone.Name)
            {
                Etag = current?.Etag,
                Body = wanted is null
                    ? null
                    : JsonSerializer.SerializeToUtf8Bytes(new AzureRecordSet(wanted), AzureJsonContext.Default.AzureRecordSet),
            },
            cancellationToken);
        if (!answer.IsSuccess && answer.Status != PreconditionFailed)
        {
            throw AzureFailures.Refused(answer, _api.Endpoint, zone.Name, zone.ResourceId);
        }

        return answer.IsSuccess;
    }

    private async Task<AzureRecordSet?> ReadAsync(AzureZone zone, Uri url, CancellationToken cancellationToken)
    {
        var answer = await _api.SendAsync(new AzureRequest(RequestMethod.Get, url, zone.Name), cancellationToken);
        if (answer.Status == NotFound && !AzureFailures.IsHolderMissing(answer))
        {
            return null;
        }

        return answer.IsSuccess && answer.Read(AzureJsonContext.Default.AzureRecordSet) is { Properties: not null, Etag: not null } set
            ? set
            : throw AzureFailures.Refused(answer, _api.Endpoint, zone.Name, zone.ResourceId);
    }
}
