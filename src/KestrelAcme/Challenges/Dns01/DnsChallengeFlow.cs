using System.Collections.Concurrent;
using KestrelAcme.Challenges.Dns01.Propagation;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Challenges.Dns01.Records;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>What dns-01 and dns-account-01 have in common: put a record in its real place, wait until the zone's servers show it, remove it.</summary>
internal sealed class DnsChallengeFlow(ChallengeRecordLocator finder, RecordWriter writer, PropagationWait propagation, TimeProvider time)
{
    // By challenge and by name: two orders may share one pending authorization, and with it one challenge.
    private readonly ConcurrentDictionary<(Uri Challenge, string Name), OpenRecord> _open = new();

    public async Task PrepareAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        // Counted before anything can fail: each call is followed by a clean-up.
        var open = _open.AddOrUpdate((context.Url, challengeName), _ => new OpenRecord(1, null), (_, existing) => existing with { Users = existing.Users + 1 });
        var (place, provider) = open.Prepared is { } known ? (known.Place, known.Provider) : await finder.FindAsync(challengeName, cancellationToken);
        var record = place.Record(ValueOf(context));

        // Kept before the record is created, so that it is deleted too when creating it fails half-way.
        Keep(context, challengeName, new PreparedRecord(place, record, provider, time.GetTimestamp()));
        await CreateAsync(place, record, provider, cancellationToken);
        Keep(context, challengeName, new PreparedRecord(place, record, provider, time.GetTimestamp()));
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
        => _open.TryGetValue((context.Url, challengeName), out var open) && open.Prepared is { } prepared
            ? propagation.RunAsync(prepared, cancellationToken)
            : throw new ChallengeException($"{challengeName}: its record was not created by this instance.") { Fault = ChallengeFault.Local };

    public async Task CleanUpAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        // What an earlier run of the app created, the sweep of stale records looks after.
        if (Leave((context.Url, challengeName)) is { } prepared)
        {
            await writer.DeleteAsync(prepared.Record, prepared.Provider.Provider, cancellationToken);
        }
    }

    /// <summary>What the zone's servers show at this moment.</summary>
    public async ValueTask<string?> ExplainFailureAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
        => _open.TryGetValue((context.Url, challengeName), out var open) && open.Prepared is { } prepared ? await propagation.DescribeAsync(prepared, cancellationToken) : null;

    private async Task CreateAsync(ChallengeRecordLocation place, DnsTxtRecord record, DnsProviderEntry provider, CancellationToken cancellationToken)
    {
        try
        {
            await writer.CreateAsync(record, provider.Provider, cancellationToken);
        }
        catch (ChallengeException exception) when (place.Doubt is not null && exception.Fault != ChallengeFault.Local)
        {
            // With an answer from the resolvers, the next try may find another zone: nothing for a person to change, and nothing wrong
            // with the name.
            throw new ChallengeException($"{exception.Message} {place.Doubt}", exception)
            {
                Fault = ChallengeFault.Local,
                RetryAfter = exception.RetryAfter,
            };
        }
    }

    private static string ValueOf(ChallengeContext context) => context.KeyAuthorization is { } keyAuthorization
        ? DnsChallengeNames.Value(keyAuthorization)
        : throw new ChallengeException($"{context.Identifier}: the authority's {context.ChallengeType} challenge has no usable token.");

    private void Keep(ChallengeContext context, string challengeName, PreparedRecord prepared)
        => _open.AddOrUpdate((context.Url, challengeName), _ => new OpenRecord(1, prepared), (_, existing) => existing with { Prepared = prepared });

    /// <returns>What is to be deleted, when nobody else in this process needs it.</returns>
    private PreparedRecord? Leave((Uri, string) key)
    {
        while (_open.TryGetValue(key, out var open))
        {
            if (open.Users > 1)
            {
                if (_open.TryUpdate(key, open with { Users = open.Users - 1 }, open))
                {
                    return null;
                }
            }
            else if (_open.TryRemove(KeyValuePair.Create(key, open)))
            {
                return open.Prepared;
            }
        }

        return null;
    }

    private sealed record OpenRecord(int Users, PreparedRecord? Prepared);
}
