using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
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

/// <summary>The server that accepts updates: an IP address, or a host name that is resolved each time.</summary>
internal sealed record Rfc2136Server(string Host, int Port)
{
    private const int DnsPort = 53;

    public static bool TryParse(string text, [NotNullWhen(true)] out Rfc2136Server? server)
    {
        server = null;
        if (IPAddress.TryParse(text.Trim('[', ']'), out var bare) && !text.Contains("]:", StringComparison.Ordinal))
        {
            server = new Rfc2136Server(bare.ToString(), DnsPort);
            return true;
        }

        var colon = text.LastIndexOf(':');
        var host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        var port = DnsPort;
        if (colon >= 0
            && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
                || port is 0 or > ushort.MaxValue))
        {
            return false;
        }

        var isHostName = DnsName.TryParse(host, out var name) && !name.IsRoot && Uri.CheckHostName(host) == UriHostNameType.Dns;
        if (!IPAddress.TryParse(host, out _) && !isHostName)
        {
            return false;
        }

        server = new Rfc2136Server(host, port);
        return true;
    }

    /// <summary>
    /// Returns all addresses of the server. Resolved by the operating system and not by the configured resolvers, because in a container
    /// the name is often a local one.
    /// </summary>
    /// <exception cref="SocketException">The name cannot be resolved.</exception>
    public async Task<IReadOnlyList<IPEndPoint>> FindAsync(CancellationToken cancellationToken)
        => IPAddress.TryParse(Host, out var address)
            ? [new IPEndPoint(address, Port)]
            : [.. (await Dns.GetHostAddressesAsync(Host, cancellationToken).WaitOrAbandonAsync(cancellationToken))
                .Select(a => new IPEndPoint(a, Port))];

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>Parses the names of TSIG algorithms.</summary>
internal static class TsigAlgorithms
{
    public static bool TryParse(string? text, out TsigAlgorithm algorithm)
    {
        var is512 = string.Equals(text, "hmac-sha512", StringComparison.OrdinalIgnoreCase);
        algorithm = is512 ? TsigAlgorithm.HmacSha512 : TsigAlgorithm.HmacSha256;
        return text is null || is512 || string.Equals(text, "hmac-sha256", StringComparison.OrdinalIgnoreCase);
    }
}
