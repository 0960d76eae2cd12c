using System.Globalization;
using System.Text;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>
/// The open challenges of one type in the store, for all instances that share it. A CA may return the same pending authorization, and so
/// the same token, to two instances. Each is recorded as an owner of the challenge, and the last one to finish deletes it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedChallengeResponses(BoundedStorage storage, TimeProvider time, string type)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // Owners that are gone do not keep a response for longer than this: no challenge is open for a day.
    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly string _prefix = PrefixOf(type);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unwritten = new(StringComparer.Ordinal);

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

    /// <summary>Whether the store has a challenge that this instance shares.</summary>
    public bool IsWritten(string key)
    {
        lock (_gate)
        {
            return !_unwritten.Contains(key);
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
        lock (_gate)
        {
            _uses[key] = _uses.GetValueOrDefault(key) + 1;
            _unwritten.Add(key);
        }

        // Written even without the lease, because the CA is about to request the response.
        await using var lease = await TryAcquireAsync(key, cancellationToken);
        var owners = await ReadAsync(key, cancellationToken) is { } known && known.Challenge?.Token == challenge.Token ? known.Owners : [];
        await WriteAsync(key, challenge.Encode(), [.. Others(owners), new Owner(_owner, time.GetUtcNow())], lease, cancellationToken);
        lock (_gate)
        {
            _unwritten.Remove(key);
        }
    }

    /// <summary>Removes a challenge when it was removed as often as it was added, unless another instance still needs it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written. Housekeeping removes what is left.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        var key = KeyOf(name);
        lock (_gate)
        {
            if (_uses.TryGetValue(key, out var uses) && uses > 1)
            {
                _uses[key] = uses - 1;
                return;
            }

            _uses.Remove(key);
            _unwritten.Remove(key);
        }

        await using var lease = await TryAcquireAsync(key, cancellationToken);
        if (lease is null || await ReadAsync(key, cancellationToken) is not { } known)
        {
            return;
        }

        if (Others(known.Owners).ToList() is { Count: > 0 } others)
        {
            await WriteAsync(key, known.Text, others, lease, cancellationToken);
        }
        else
        {
            await storage.DeleteAsync(key, lease, cancellationToken);
        }
    }

    /// <summary>Decodes a stored challenge; <see langword="null"/> if it is damaged.</summary>
    public SharedChallenge? Decode(ReadOnlySpan<byte> value) => Parse(value)?.Challenge;

    private IEnumerable<Owner> Others(IEnumerable<Owner> owners)
    {
        var now = time.GetUtcNow();
        return owners.Where(o => o.Id != _owner && (now - o.Since).Duration() < LongestUse);
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

    private sealed record Owner(string Id, DateTimeOffset Since)
    {
        public static Owner? Parse(string line)
            => line.Split(' ') is [var id, var since]
                && DateTimeOffset.TryParseExact(since, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
                    ? new Owner(id, at)
                    : null;

        public override string ToString() => $"{Id} {Since.ToString("O", CultureInfo.InvariantCulture)}";
    }
}
