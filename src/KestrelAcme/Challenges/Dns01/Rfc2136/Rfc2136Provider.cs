using System.Net.Sockets;
using KestrelAcme.Configuration;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.Challenges.Dns01.Rfc2136;

/// <summary>
/// Changes zones with dynamic updates. Each update adds or removes one record of a set, so concurrent updates do not conflict.
/// </summary>
internal sealed class Rfc2136Provider(Rfc2136Server server, TsigKey? key, DnsAccess dns) : IDnsProvider
{
    public string Description => $"RFC 2136 updates at {server}";

    public static Rfc2136Provider Create(DnsProviderSettings settings, DnsAccess dns)
    {
        if (!Rfc2136Server.TryParse(settings.Get(nameof(Rfc2136Options.Server)), out var server)
            || !TsigAlgorithms.TryParse(settings.Find(nameof(Rfc2136Options.TsigAlgorithm)), out var algorithm))
        {
            throw new ArgumentException("The settings were not validated.", nameof(settings));
        }

        var name = settings.Find(nameof(Rfc2136Options.TsigKeyName));
        var secret = settings.Find(nameof(Rfc2136Options.TsigSecret));
        var key = name is null || secret is null ? null : new TsigKey(DnsName.Parse(name), algorithm, secret);
        return new Rfc2136Provider(server, key, dns);
    }

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => UpdateAsync(record, update => update.Add(Txt(record)), cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => UpdateAsync(record, update => update.Delete(Txt(record)), cancellationToken);

    private static TxtRecord Txt(DnsTxtRecord record) => new(DnsName.Parse(record.Name), record.TimeToLive, record.Value);

    private async Task UpdateAsync(DnsTxtRecord record, Action<DnsUpdate> change, CancellationToken cancellationToken)
    {
        var update = new DnsUpdate(DnsName.Parse(record.Zone));
        change(update);
        try
        {
            await SendAsync(update, cancellationToken);
        }
        catch (DnsException exception)
        {
            throw new DnsProviderException(FaultOf(exception), Explain(exception, record), exception);
        }
        catch (SocketException exception)
        {
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"The address of the server {server} for zone {record.Zone} cannot be found: {exception.Message}.",
                exception);
        }
    }

    /// <summary>Sends the update to the first reachable address.</summary>
    private async Task SendAsync(DnsUpdate update, CancellationToken cancellationToken)
    {
        var addresses = await server.FindAsync(cancellationToken);
        for (var i = 0; ; i++)
        {
            try
            {
                await dns.Client.UpdateAsync(addresses[i], update, key, cancellationToken);
                return;
            }
            catch (DnsException exception) when (i + 1 < addresses.Count && exception is DnsTimeoutException or DnsTransportException)
            {
                // Try the next address.
            }
        }
    }

    private static DnsProviderFault FaultOf(DnsException exception) => exception switch
    {
        TsigException => DnsProviderFault.Unauthorized,
        DnsResponseCodeException { Code: DnsResponseCode.REFUSED } => DnsProviderFault.Unauthorized,
        DnsResponseCodeException { Code: DnsResponseCode.NOTAUTH or DnsResponseCode.NOTZONE or DnsResponseCode.NOTIMP }
            => DnsProviderFault.ZoneNotFound,
        DnsResponseCodeException { Code: not DnsResponseCode.SERVFAIL } => DnsProviderFault.Refused,
        _ => DnsProviderFault.Unavailable,
    };

    private string Explain(DnsException exception, DnsTxtRecord record) => exception switch
    {
        TsigException => $"Zone {record.Zone}: {exception.Message} "
            + "Compare TsigKeyName, TsigAlgorithm and TsigSecret with the server's key, and compare both clocks.",
        DnsResponseCodeException { Code: DnsResponseCode.REFUSED } => $"{exception.Message} "
            + $"Allow {(key is null ? "this machine's address" : $"the key {key.Name}")} to update TXT records of {record.Name}.",
        DnsResponseCodeException => exception.Message,
        _ => $"Zone {record.Zone}: {exception.Message}",
    };
}
