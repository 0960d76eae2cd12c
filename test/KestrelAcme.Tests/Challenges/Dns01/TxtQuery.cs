using System.Net;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Queries one server for the values of a name.</summary>
internal static class TxtQuery
{
    public static async Task<string[]> AskAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        var response = await new DnsQueryClient().QueryAsync(
            server, DnsName.Parse(name), DnsRecordType.TXT, cancellationToken: cancellationToken);
        return [.. response.RecordsOf<TxtRecord>().Select(record => record.Text).Order(StringComparer.Ordinal)];
    }
}
