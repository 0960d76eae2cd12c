using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Looks up records that must be created or changed by hand. Safe for concurrent use.</summary>
internal sealed class RecordLook(DnsAccess dns, TimeProvider time)
{
    public const string Caa = "CAA";

    private const int MostLookUps = 32;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    // Name servers that cannot be reached must leave time for the resolvers.
    private static readonly TimeSpan ServersTimeLimit = TimeSpan.FromSeconds(10);

    /// <param name="caaNames">The names whose CAA records matter.</param>
    /// <param name="records">The records to create.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<RecordView> LookAsync(
        IReadOnlyCollection<string> caaNames, IReadOnlyCollection<RequiredDnsRecord> records, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(TimeLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var others = records.Where(r => r.Type != Caa).Take(MostLookUps).ToList();
            var sights = await Task.WhenAll(others.Select(r => LookAsync(r, both.Token)));
            var sets = await Task.WhenAll(caaNames.Take(MostLookUps).Select(n => ReadCaaAsync(n, both.Token)));
            var showsAll = others.Count > 0 && others.Count == records.Count && sights.All(s => s.IsThere);
            return new RecordView(MarkOf([.. sights.Select(s => s.Text), .. sets]), showsAll);
        }
        catch (Exception exception) when (exception is DnsException or OperationCanceledException or ChallengeException)
        {
            // Nothing was seen, and nothing can be concluded from that.
            return default;
        }
    }

    private async Task<(string Text, bool IsThere)> LookAsync(RequiredDnsRecord record, CancellationToken cancellationToken)
    {
        var authority = await dns.Authorities.FindZoneAsync(
            ChallengeRecordLocator.Parse(record.Name), DnsAliasHandling.FollowExisting, cancellationToken);
        if (record.Type != nameof(DnsRecordType.TXT))
        {
            // For a CNAME, only the end of the chain matters.
            return ($"{record.Name} > {authority.Name}", authority.Name.Equals(ChallengeRecordLocator.Parse(record.Value.TrimEnd('.'))));
        }

        // If port 53 does not lead to a name server of the zone, a resolver is enough: its response can only be out of date.
        var shown = await AskServersAsync(authority, cancellationToken);
        shown = shown.Count > 0 ? shown : [await AskResolversAsync(authority.Name, cancellationToken)];

        // A server that is silent now and then does not change the result, but one that has received the change from another does.
        var texts = shown.Select(values => string.Join('|', values)).Distinct().Order(StringComparer.Ordinal);
        var isThere = shown.TrueForAll(values => values.Any(v => $"\"{v}\"" == record.Value));
        return ($"{record.Name} > {authority.Name} {string.Join(" / ", texts)}", isThere);
    }

    private async Task<List<string[]>> AskServersAsync(ZoneAuthority authority, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(ServersTimeLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var servers = await dns.Authorities.FindServersAsync(authority.Zone, both.Token);
            var responses = await Task.WhenAll(servers.SelectMany(s => s.EndPoints).Select(e => AskAsync(e, authority.Name, both.Token)));
            return [.. responses.OfType<string[]>()];
        }
        catch (Exception exception) when (
            exception is DnsException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [];
        }
    }

    private async Task<string[]> AskResolversAsync(DnsName name, CancellationToken cancellationToken)
        => TextsOf(await dns.Client.ResolveAsync(name, DnsRecordType.TXT, cancellationToken));

    private static string[] TextsOf(DnsResponse response)
        => [.. response.RecordsOf<TxtRecord>().Select(r => r.Text).Order(StringComparer.Ordinal)];

    private async Task<string[]?> AskAsync(System.Net.IPEndPoint server, DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Client.QueryAsync(server, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken);
            return response is { IsAuthoritative: true, Code: DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN }
                ? TextsOf(response)
                : null;
        }
        catch (Exception exception) when (exception is DnsException or OperationCanceledException)
        {
            // The other servers are enough.
            return null;
        }
    }

    private async Task<string> ReadCaaAsync(string name, CancellationToken cancellationToken)
    {
        var set = await dns.Caa.FindAsync(ChallengeRecordLocator.Parse(name), cancellationToken);
        var records = set.Records.Select(r => $"{r.Flags} {r.Tag} {r.Value}").Order(StringComparer.Ordinal);
        return $"{name}: {set.FoundAt} {string.Join('|', records)}";
    }

    private static string MarkOf(IEnumerable<string> texts)
    {
        var text = string.Join('\n', texts.Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }
}

/// <summary>What DNS shows of some records.</summary>
/// <param name="Mark">Changes if DNS shows something else; <see langword="null"/> if a lookup failed.</param>
/// <param name="ShowsAll">Whether the records to create exist, as far as the records themselves show.</param>
internal readonly record struct RecordView(string? Mark, bool ShowsAll);
