using System.Globalization;
using System.Text;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>
/// The open challenges of one type in the store, for all instances that share it. A CA may return the same pending authorization, and so
/// the same token, to two orders of different instances. Each is recorded as an owner of the challenge, and the last one to finish deletes
/// it. An instance that resumes an order takes the place of the one that left it behind.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedChallengeResponses(BoundedStorage storage, TimeProvider time, string type)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // Owners that are gone do not keep a response for longer than this: no challenge is open for a day.
    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);

    // Someone who fills the store must not make every instance acknowledge without end.
    private const int MaxShares = 4;
    private const int IdLength = 16;

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly string _prefix = PrefixOf(type);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Use> _uses = new(StringComparer.Ordinal);

    public string Prefix => _prefix;

    public static string PrefixOf(string type) => $"challenges/{type}/";

    /// <summary>Whether this instance shares a challenge under a key, so that it need not read it.</summary>
    public bool IsOwn(string key)
    {
        lock (_gate)
        {
            return _uses.ContainsKey(key);
        }
    }

    /// <summary>
    /// Returns what identifies the challenge that this instance shares under a key. It is new each time that a challenge is shared, even if
    /// the token is the same, because the other instances have forgotten the challenge in between.
    /// </summary>
    public SharedAs? ShareOf(string key)
    {
        lock (_gate)
        {
            return _uses.GetValueOrDefault(key) is { } use ? new SharedAs(use.Share, use.IsWritten) : null;
        }
    }

    /// <summary>Returns the key of a challenge. It is hashed, because tokens contain upper-case letters and keys must not.</summary>
    /// <param name="name">The token, or the server name.</param>
    public string KeyOf(string name) => _prefix + StorageKey.Hash(name);

    /// <summary>Shares a challenge. Replaces a different one under the same name.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task AddAsync(string name, SharedChallenge challenge, CancellationToken cancellationToken)
    {
        var key = KeyOf(name);
        Use use;
        lock (_gate)
        {
            var known = _uses.GetValueOrDefault(key);
            use = known?.Challenge.Token == challenge.Token
                ? known with { Count = known.Count + 1, Challenge = challenge }
                : new Use((known?.Count ?? 0) + 1, challenge, Guid.NewGuid().ToString("N")[..IdLength], IsWritten: false);
            _uses[key] = use;
        }

        await WriteAsync(key, use, cancellationToken);
    }

    /// <summary>Shares those challenges of this instance again that are gone from the store because it was emptied.</summary>
    /// <param name="stored">The keys that the store has.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task ShareAgainAsync(IReadOnlySet<string> stored, CancellationToken cancellationToken)
    {
        KeyValuePair<string, Use>[] gone;
        lock (_gate)
        {
            gone = [.. _uses.Where(use => use.Value.IsWritten && !stored.Contains(use.Key))];
        }

        foreach (var (key, use) in gone)
        {
            await WriteAsync(key, use, cancellationToken);
        }
    }

    // Written even without the lease, because the CA is about to request the response.
    private async Task WriteAsync(string key, Use use, CancellationToken cancellationToken)
    {
        await using var lease = await TryAcquireAsync(key, cancellationToken);
        var owners = await ReadAsync(key, cancellationToken) is { } known && known.Challenge?.Token == use.Challenge.Token
            ? Others(known.Owners, use.Challenge.Order)
            : [];
        var self = new Owner(_owner, use.Share, use.Challenge.Order, time.GetUtcNow());
        await WriteAsync(key, use.Challenge.Encode(), [.. owners, self], lease, cancellationToken);
        lock (_gate)
        {
            if (_uses.GetValueOrDefault(key) is { } last && last.Share == use.Share)
            {
                _uses[key] = last with { IsWritten = true };
            }
        }
    }

    /// <summary>Removes a challenge when it was removed as often as it was added, unless another instance still needs it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written. Housekeeping removes what is left.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        var key = KeyOf(name);
        lock (_gate)
        {
            if (_uses.TryGetValue(key, out var use) && use.Count > 1)
            {
                _uses[key] = use with { Count = use.Count - 1 };
                return;
            }

            _uses.Remove(key);
        }

        await using var lease = await TryAcquireAsync(key, cancellationToken);
        if (lease is null || await ReadAsync(key, cancellationToken) is not { } known)
        {
            return;
        }

        if (Others(known.Owners, order: null).ToList() is { Count: > 0 } others)
        {
            // Even if another instance has resumed the order, so that this one is no owner: it learns of the challenge by that.
            await WriteAsync(key, known.Text, others, lease, cancellationToken);
        }
        else
        {
            await storage.DeleteAsync(key, lease, cancellationToken);
        }
    }

    /// <summary>Decodes a stored challenge; <see langword="null"/> if it is damaged.</summary>
    /// <param name="value">What is stored.</param>
    /// <param name="shares">What the owners wait for to be acknowledged.</param>
    public SharedChallenge? Decode(ReadOnlySpan<byte> value, out string[] shares)
    {
        var known = Parse(value);
        shares = known is null ? [] : [.. known.Owners.TakeLast(MaxShares).Select(owner => owner.Share).OfType<string>()];
        return known?.Challenge;
    }

    // The owners that still need the challenge, but for this instance and those that left the same order behind.
    private IEnumerable<Owner> Others(IEnumerable<Owner> owners, string? order)
    {
        var now = time.GetUtcNow();
        return owners.Where(
            o => o.Id != _owner && (order is null || o.Order != order) && (now - o.Since).Duration() < LongestUse);
    }

    private async Task<Record?> ReadAsync(string key, CancellationToken cancellationToken)
        => await storage.ReadAsync(key, cancellationToken) is { } value ? Parse(value.Span) : null;

    // The first line is the challenge, and each following line is an owner.
    private Record? Parse(ReadOnlySpan<byte> value)
    {
        if (value.Length > SharedChallenge.MaxLength)
        {
            return null;
        }

        var lines = Encoding.UTF8.GetString(value).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0
            ? null
            : new Record(lines[0], SharedChallenge.Decode(type, lines[0]), [.. lines.Skip(1).Select(Owner.Parse).OfType<Owner>()]);
    }

    private async Task WriteAsync(
        string key, string challenge, IEnumerable<Owner> owners, IStorageLease? lease, CancellationToken cancellationToken)
    {
        var text = new StringBuilder(challenge);
        foreach (var owner in owners)
        {
            text.Append('\n').Append(owner);
        }

        await storage.WriteAsync(key, Encoding.UTF8.GetBytes(text.ToString()), lease, cancellationToken);
    }

    // Only the first digit of the hash: a store may keep a record of every lease name, and there is no limit to the number of tokens.
    private Task<IStorageLease?> TryAcquireAsync(string key, CancellationToken cancellationToken)
        => LeaseWait.TryAcquireAsync(
            storage, key[..(_prefix.Length + 1)], LeaseDuration, LeasePoll, LongestWait, time, cancellationToken);

    private sealed record Record(string Text, SharedChallenge? Challenge, IReadOnlyList<Owner> Owners);

    /// <param name="Count">How often this instance added the challenge.</param>
    /// <param name="Challenge">The challenge.</param>
    /// <param name="Share">What is acknowledged.</param>
    /// <param name="IsWritten">Whether the store has it.</param>
    private sealed record Use(int Count, SharedChallenge Challenge, string Share, bool IsWritten);

    /// <summary>An instance that needs the challenge: "instance.share.order time", or "instance time" of an earlier version.</summary>
    private sealed record Owner(string Id, string? Share, string? Order, DateTimeOffset Since)
    {
        public static Owner? Parse(string line)
            => line.Split(' ') is [var owner, var since]
                && DateTimeOffset.TryParseExact(since, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
                && owner.Split('.') is [var id, .. var rest]
                    ? new Owner(id, IdOrNull(rest, 0), IdOrNull(rest, 1), at)
                    : null;

        public override string ToString() => $"{Id}.{Share}.{Order} {Since.ToString("O", CultureInfo.InvariantCulture)}";

        private static string? IdOrNull(string[] parts, int index)
            => index < parts.Length && parts[index].Length == IdLength ? parts[index] : null;
    }
}

/// <summary>How this instance shares a challenge.</summary>
/// <param name="Share">What the other instances acknowledge.</param>
/// <param name="IsWritten">Whether the store has the challenge.</param>
internal sealed record SharedAs(string Share, bool IsWritten);
