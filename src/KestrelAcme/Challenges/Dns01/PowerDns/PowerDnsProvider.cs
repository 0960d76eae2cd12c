using System.Net;
using System.Net.Http.Json;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>Changes zones by the HTTP API of PowerDNS, which replaces whole record sets: the set is read, changed and written back.</summary>
internal sealed class PowerDnsProvider : IDnsProvider, IDisposable
{
    private const string Advice = "Compare ApiKey with the api-key of pdns.conf, and webserver-allow-from with this machine's address.";

    private readonly DnsApiClient _api;
    private readonly string _zones;

    public PowerDnsProvider(DnsProviderSettings settings, TimeProvider time)
    {
        _api = new DnsApiClient(new Uri(settings.Get(nameof(PowerDnsOptions.ApiUrl))), time);
        _api.Headers.TryAddWithoutValidation("X-API-Key", settings.Get(nameof(PowerDnsOptions.ApiKey)));
        _zones = $"api/v1/servers/{Uri.EscapeDataString(settings.Find(nameof(PowerDnsOptions.ServerId)) ?? "localhost")}/zones";
    }

    public string Description => $"PowerDNS at {_api.BaseUrl}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => ChangeAsync(record, values => values.Contains(Quoted(record)) ? null : [.. values, Quoted(record)], cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => ChangeAsync(record, values => values.Contains(Quoted(record)) ? [.. values.Where(value => value != Quoted(record))] : null, cancellationToken);

    public void Dispose() => _api.Dispose();

    private static string Quoted(DnsTxtRecord record) => $"\"{record.Value}\"";

    private async Task ChangeAsync(DnsTxtRecord record, Func<List<string>, List<string>?> change, CancellationToken cancellationToken)
    {
        var name = record.Name + ".";
        var zone = await ReadAsync(record, cancellationToken);
        var set = zone.Rrsets?.FirstOrDefault(s => s.Type == "TXT" && string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));
        if (change([.. (set?.Records ?? []).Where(r => !r.Disabled).Select(r => r.Content)]) is not { } values)
        {
            return;
        }

        var changed = values.Count == 0
            ? new PowerDnsRecordSet(name, "TXT", Changetype: "DELETE")
            : new PowerDnsRecordSet(name, "TXT", set?.Ttl ?? (long)record.TimeToLive.TotalSeconds, "REPLACE", [.. values.Select(value => new PowerDnsRecord(value))]);
        var answer = await _api.SendAsync(HttpMethod.Patch, PathOf(record), () => JsonContent.Create(new PowerDnsZone(Rrsets: [changed]), PowerDnsJsonContext.Default.PowerDnsZone), record.Zone, cancellationToken);
        if (!answer.IsSuccess)
        {
            throw Failure(answer, record);
        }

        await NotifyAsync(zone, record, cancellationToken);
    }

    private async Task<PowerDnsZone> ReadAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        // The filter is new in 4.8 or so; older servers pass over it and answer with the whole zone.
        var filter = $"?rrset_name={Uri.EscapeDataString(record.Name + ".")}&rrset_type=TXT";
        var answer = await _api.SendAsync(HttpMethod.Get, PathOf(record) + filter, null, record.Zone, cancellationToken);
        return answer.IsSuccess && answer.Read(PowerDnsJsonContext.Default.PowerDnsZone) is { } zone ? zone : throw Failure(answer, record);
    }

    /// <summary>Tells the secondaries now; otherwise the server does so within a minute.</summary>
    private async Task NotifyAsync(PowerDnsZone zone, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        if (zone.Kind is "Master" or "Primary" or "Producer")
        {
            // Its outcome decides nothing: every server is asked before the authority is told.
            await _api.SendAsync(HttpMethod.Put, PathOf(record) + "/notify", null, record.Zone, cancellationToken);
        }
    }

    private string PathOf(DnsTxtRecord record) => $"{_zones}/{Uri.EscapeDataString(record.Zone + ".")}";

    private DnsProviderException Failure(DnsApiResponse answer, DnsTxtRecord record)
    {
        var error = answer.Read(PowerDnsJsonContext.Default.PowerDnsError);
        var words = error?.Error is null ? answer.Text : QuotedText.Words(string.Join("; ", [error.Error, .. error.Errors ?? []]), QuotedText.MaxReplyLength);

        // Some versions answer 422 for a zone that they do not have.
        return answer.StatusCode == HttpStatusCode.UnprocessableEntity && words.Contains("Could not find domain", StringComparison.OrdinalIgnoreCase)
            ? new DnsProviderException(DnsProviderFault.ZoneNotFound, $"{_api.BaseUrl.Authority} does not have zone {record.Zone}: {words}.") { RetryAfter = answer.RetryAfter }
            : _api.Failure(answer, record.Zone, words, Advice);
    }
}
