using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// Answers dns-persist-01 challenges with a record that a person creates once and that stays: it is verified in DNS before each order goes on, and asked for where it is missing.
/// Nothing is created or deleted here, so that no credentials for the zone are needed.
/// </summary>
[Experimental("KESTRELACME001")]
internal sealed class DnsPersist01ChallengeHandler(DnsAccess dns, TimeProvider time, ILogger<DnsPersist01ChallengeHandler> logger) : IChallengeHandler
{
    private readonly ConcurrentDictionary<string, byte> _askedFor = new(StringComparer.Ordinal);

    public string ChallengeType => "dns-persist-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (PersistRecord.IssuersOf(context) is not [var issuer, ..])
        {
            throw new ChallengeException($"{context.Identifier}: the authority does not say by which name a dns-persist-01 record knows it.") { Fault = ChallengeFault.Operator };
        }

        var name = PersistRecord.NameOf(context.Identifier);
        var values = await ReadAsync(name, cancellationToken);
        if (values.Any(value => PersistRecord.Allows(value, context, time.GetUtcNow())))
        {
            return;
        }

        var wanted = $"{name}. TXT \"{PersistRecord.ValueFor(context, issuer)}\"";
        if (_askedFor.TryAdd(wanted, 0))
        {
            logger.PersistRecordWanted(context.Identifier, wanted);
        }

        throw new ChallengeException(
            $"{context.Identifier}: the record that lets this account prove the name (dns-persist-01, an experimental draft) is not in DNS; {name} has {values.Count} TXT values, none of which fits. Create: {wanted}")
        {
            Fault = ChallengeFault.Operator,
        };
    }

    // It was verified when it was prepared, and has been there for long.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<IReadOnlyList<string>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var authority = await dns.Authorities.FindAsync(DnsPlaceFinder.Parse(name), cancellationToken);
            foreach (var server in authority.Servers.SelectMany(s => s.EndPoints))
            {
                if (await AskAsync(server, authority.Name, cancellationToken) is { } values)
                {
                    return values;
                }
            }

            throw new ChallengeException($"{name}: no name server of zone {authority.Zone} answers for it: {string.Join("; ", authority.Servers)}.");
        }
        catch (DnsException exception)
        {
            throw new ChallengeException($"{name} could not be looked up. {exception.Message}", exception) { Fault = ChallengeFault.Local };
        }
    }

    private async Task<IReadOnlyList<string>?> AskAsync(System.Net.IPEndPoint server, DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Requestor.QueryAsync(server, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken);
            return response.IsAuthoritative && response.Code is DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN ? [.. response.RecordsOf<TxtRecord>().Select(r => r.Text)] : null;
        }
        catch (DnsException)
        {
            // The next server may answer.
            return null;
        }
    }
}
