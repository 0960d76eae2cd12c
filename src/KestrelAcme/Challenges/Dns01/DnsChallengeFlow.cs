using System.Collections.Concurrent;
using KestrelAcme.Challenges.Dns01.Propagation;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>
/// The common steps of dns-01 and dns-account-01: create the record where it belongs, wait until the zone's servers show it, delete it.
/// </summary>
internal sealed class DnsChallengeFlow(
    ChallengeRecordLocator locator, RecordWriter writer, PropagationWait propagation, TimeProvider time, ILogger<DnsChallengeFlow> logger)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    // By challenge and name, because two orders may share a pending authorization, and so a challenge.
    private readonly ConcurrentDictionary<(Uri Challenge, string Name), OpenRecord> _open = new();

    public async Task PrepareAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        // Counted before anything can fail, because every call is followed by a clean-up.
        var open = _open.AddOrUpdate(
            (context.Url, challengeName), _ => new OpenRecord(1, null), (_, existing) => existing with { Users = existing.Users + 1 });
        var (location, provider) = open.Prepared is { } known
            ? (known.Location, known.Provider)
            : await locator.FindAsync(challengeName, cancellationToken);
        var record = location.Record(KeyAuthorizationOf(context));

        // Kept before the record is created, so that it is deleted even if creating it fails half-way.
        Keep(context, challengeName, new PreparedRecord(location, record, provider, time.GetTimestamp()));
        await CreateAsync(location, record, provider, cancellationToken);
        Keep(context, challengeName, new PreparedRecord(location, record, provider, time.GetTimestamp()));
    }

    public async Task WaitUntilVisibleAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        if (!_open.TryGetValue((context.Url, challengeName), out var open) || open.Prepared is not { } prepared)
        {
            throw new ChallengeException($"{challengeName}: this instance did not create its record.") { Fault = ChallengeFault.Local };
        }

        Keep(context, challengeName, prepared with { SeenAt = await propagation.RunAsync(prepared, cancellationToken) });
    }

    /// <summary>
    /// Checks the record again just before the challenge is submitted, unless it was seen a moment ago. The records of an order's other
    /// names may have taken minutes, and another program that writes whole sets removes values that it does not know.
    /// </summary>
    public async Task ConfirmAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        if (!_open.TryGetValue((context.Url, challengeName), out var open)
            || open.Prepared is not { SeenAt: { } seenAt } prepared
            || time.GetElapsedTime(seenAt) is var elapsed && elapsed < Fresh
            || !await propagation.IsGoneAsync(prepared, cancellationToken))
        {
            return;
        }

        logger.DnsRecordGone(prepared.Record.Name, elapsed.TotalSeconds);
        await CreateAsync(prepared.Location, prepared.Record, prepared.Provider, cancellationToken);
        prepared = prepared with { CreatedAt = time.GetTimestamp() };
        Keep(context, challengeName, prepared with { SeenAt = await propagation.RunAsync(prepared, cancellationToken) });
    }

    public async Task CleanUpAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
    {
        // The sweep of stale records removes what an earlier run of the app created.
        if (Leave((context.Url, challengeName)) is { } prepared)
        {
            await writer.DeleteAsync(prepared.Record, prepared.Provider.Provider, cancellationToken);
        }
    }

    /// <summary>Describes what the zone's servers show now.</summary>
    public async ValueTask<string?> ExplainFailureAsync(ChallengeContext context, string challengeName, CancellationToken cancellationToken)
        => _open.TryGetValue((context.Url, challengeName), out var open) && open.Prepared is { } prepared
            ? await propagation.DescribeAsync(prepared, cancellationToken)
            : null;

    private async Task CreateAsync(
        ChallengeRecordLocation location, DnsTxtRecord record, DnsProviderEntry provider, CancellationToken cancellationToken)
    {
        try
        {
            await writer.CreateAsync(record, provider.Provider, cancellationToken);
        }
        catch (ChallengeException exception) when (location.Doubt is not null && exception.Fault != ChallengeFault.Local)
        {
            // When the resolvers respond again, the next attempt may find another zone.
            // So there is nothing to change by hand, and nothing is wrong with the name.
            throw new ChallengeException($"{exception.Message} {location.Doubt}", exception)
            {
                Fault = ChallengeFault.Local,
                RetryAfter = exception.RetryAfter,
            };
        }
    }

    private static string KeyAuthorizationOf(ChallengeContext context) => context.KeyAuthorization
        ?? throw new ChallengeException($"{context.Identifier}: the CA's {context.ChallengeType} challenge has no usable token.");

    private void Keep(ChallengeContext context, string challengeName, PreparedRecord prepared)
        => _open.AddOrUpdate(
            (context.Url, challengeName),
            _ => new OpenRecord(1, prepared),
            (_, existing) => existing with { Prepared = prepared });

    /// <returns>The record to delete, if nothing else in this process needs it.</returns>
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

/// <summary>A record that was created for a challenge, or is about to be created.</summary>
internal sealed record PreparedRecord(
    ChallengeRecordLocation Location, DnsTxtRecord Record, DnsProviderEntry Provider, long CreatedAt)
{
    /// <summary>When a DNS query last showed it; <see langword="null"/> before that.</summary>
    public long? SeenAt { get; init; }
}

/// <summary>Responds to challenges with a TXT record. The challenge types differ only in the record's name.</summary>
internal abstract class DnsRecordChallengeHandler(DnsChallengeFlow flow) : IChallengeHandler, IConfirmedChallengeHandler
{
    public abstract string ChallengeType { get; }

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.PrepareAsync(context, NameOf(context), cancellationToken);

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.WaitUntilVisibleAsync(context, NameOf(context), cancellationToken);

    public Task ConfirmAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.ConfirmAsync(context, NameOf(context), cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.CleanUpAsync(context, NameOf(context), cancellationToken);

    public ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.ExplainFailureAsync(context, NameOf(context), cancellationToken);

    /// <summary>Returns the name of the record.</summary>
    protected abstract string NameOf(ChallengeContext context);
}

/// <summary>Responds to dns-01 challenges (RFC 8555 section 8.4) with a TXT record.</summary>
internal sealed class Dns01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.Dns01(context.Identifier);
}

/// <summary>
/// Responds to dns-account-01 challenges (draft-ietf-acme-dns-account-label): like dns-01, but below a label of the account.
/// </summary>
internal sealed class DnsAccount01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-account-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.DnsAccount01(context.Identifier, context.AccountUrl);
}
