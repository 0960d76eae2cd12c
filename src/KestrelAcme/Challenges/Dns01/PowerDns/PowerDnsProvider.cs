using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>
/// Changes zones by the HTTP API of PowerDNS. Servers from 5.0 on add and remove single values; older ones replace whole record sets, unconditionally: the set is read, changed and written back, and
/// two that do so at once lose each other's values. So it is looked at again, after a pause that is longer than such a change takes, and written again until it stays.
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

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => ChangeAsync(record, isWanted: true, cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => ChangeAsync(record, isWanted: false, cancellationToken);

    public void Dispose() => _api.Dispose();

    private async Task ChangeAsync(DnsTxtRecord record, bool isWanted, CancellationToken cancellationToken)
    {
        var settled = LeastSettleTime;
        var since = _time.GetTimestamp();
        for (var (writes, failures) = (0, 0); ;)
        {
            var start = _time.GetTimestamp();
            var zone = await ReadAsync(record, cancellationToken);
            var set = zone.Rrsets?.FirstOrDefault(s => s.Type == "TXT" && string.Equals(s.Name, record.Name + ".", StringComparison.OrdinalIgnoreCase));
            if (PowerDnsChange.Has(set, record) == isWanted)
            {
                // Somebody who read the set before our change may still write it back without it: it counts once all those must be through.
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
                    $"{_api.BaseUrl.Authority}: the TXT records of {record.Name} in zone {record.Zone} were changed back by others after each of {MaxWrites} changes. Does something else manage this name?");
            }

            try
            {
                await WriteAsync(PowerDnsChange.WithDisabled(set, await DisabledAsync(record, cancellationToken), record), record, isWanted, cancellationToken);
            }
            catch (DnsProviderException exception) when (exception.Fault == DnsProviderFault.Unavailable && ++failures < Attempts && exception.RetryAfter is not { TotalSeconds: > 10 })
            {
                // What was read may be old by the next try.
                await Task.Delay((exception.RetryAfter ?? failures * LeastSettleTime) + Jitter(), _time, cancellationToken);
                continue;
            }

            // Others see the same server: what took us long takes them long. The random part keeps two from meeting again and again.
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
            var answer = await PatchAsync(single, record, cancellationToken);
            if (answer.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity))
            {
                _ = answer.IsSuccess ? answer : throw Failure(answer, record);
                return;
            }

            // Older servers do not have these changes. If it is something else, the change of the whole set fails for the same reason, and says so.
            _replacesOnly = Words(answer).Contains("changetype", StringComparison.OrdinalIgnoreCase);
        }

        var replaced = await PatchAsync(PowerDnsChange.OfWholeSet(set, record, isWanted), record, cancellationToken);
        _ = replaced.IsSuccess ? replaced : throw Failure(replaced, record);
    }

    private Task<DnsApiResponse> PatchAsync(PowerDnsRecordSet change, DnsTxtRecord record, CancellationToken cancellationToken) => _api.SendOnceAsync(
        HttpMethod.Patch,
        PathOf(record),
        () => JsonContent.Create(new PowerDnsZone(Rrsets: [change]), PowerDnsJsonContext.Default.PowerDnsZone),
        record.Zone,
        cancellationToken);

    private async Task<PowerDnsZone> ReadAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        // The filter is new in 4.8 or so; older servers pass over it and answer with the whole zone.
        var filter = $"?rrset_name={Uri.EscapeDataString(record.Name + ".")}&rrset_type=TXT";
        var answer = await _api.SendAsync(HttpMethod.Get, PathOf(record) + filter, null, record.Zone, cancellationToken);
        return answer.IsSuccess && answer.Read(PowerDnsJsonContext.Default.PowerDnsZone) is { } zone ? zone : throw Failure(answer, record);
    }

    /// <summary>The disabled records of the name, which the filtered view of a zone leaves out in versions before 5.0; the whole zone may be too long to read.</summary>
    private async Task<IReadOnlyList<PowerDnsFound>> DisabledAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var path = $"{_server}/search-data?q={Uri.EscapeDataString(record.Name)}&object_type=record&max=1000";
        var answer = await _api.SendAsync(HttpMethod.Get, path, null, record.Zone, cancellationToken);

        // A server that cannot search, or that does not allow it, has none that could be seen.
        var found = answer.IsSuccess ? answer.Read(PowerDnsJsonContext.Default.IReadOnlyListPowerDnsFound) : null;
        return [.. (found ?? []).Where(r => r.Disabled && r.Type == "TXT" && Is(r.Name, record.Name) && Is(r.Zone, record.Zone))];

        static bool Is(string? text, string name) => string.Equals(text?.TrimEnd('.'), name, StringComparison.OrdinalIgnoreCase);
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

    private string PathOf(DnsTxtRecord record) => $"{_server}/zones/{Uri.EscapeDataString(record.Zone + ".")}";

    private DnsProviderException Failure(DnsApiResponse answer, DnsTxtRecord record)
    {
        var words = Words(answer);

        // Some versions answer 422 for a zone that they do not have.
        return answer.StatusCode == HttpStatusCode.UnprocessableEntity && words.Contains("Could not find domain", StringComparison.OrdinalIgnoreCase)
            ? new DnsProviderException(DnsProviderFault.ZoneNotFound, $"{_api.BaseUrl.Authority} does not have zone {record.Zone}: {words}.") { RetryAfter = answer.RetryAfter }
            : _api.Failure(answer, record.Zone, words, Advice);
    }

    private static string Words(DnsApiResponse answer)
        => answer.Read(PowerDnsJsonContext.Default.PowerDnsError) is { Error: { } error } all ? answer.Quote(string.Join("; ", [error, .. all.Errors ?? []])) : answer.Text;
}
