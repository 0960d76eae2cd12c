using System.Globalization;
using System.Text;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Challenges;

/// <summary>
/// The responses to challenges in the store, for all instances that share it. A CA may return the same pending authorization, and so the
/// same token, to two instances. Each is recorded as an owner of the response, and the last one to finish deletes it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedChallengeResponses(BoundedStorage storage, TimeProvider time, string prefix)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // Owners that are gone do not keep a response for longer than this: no challenge is open for a day.
    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);

    /// <summary>Shares a response. Replaces a different one under the same name.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task AddAsync(string name, string response, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _uses[name] = _uses.GetValueOrDefault(name) + 1;
        }

        // Written even without the lease, because the CA is about to request the response.
        await using var lease = await TryAcquireAsync(name, cancellationToken);
        var owners = await ReadAsync(name, cancellationToken) is { } known && known.Response == response ? known.Owners : [];
        await WriteAsync(name, response, [.. Others(owners), new Owner(_owner, time.GetUtcNow())], lease, cancellationToken);
    }

    /// <summary>Removes a response when it was removed as often as it was added, unless another instance still needs it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written. Housekeeping removes what is left.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_uses.TryGetValue(name, out var uses) && uses > 1)
            {
                _uses[name] = uses - 1;
                return;
            }

            _uses.Remove(name);
        }

        await using var lease = await TryAcquireAsync(name, cancellationToken);
        if (lease is null || await ReadAsync(name, cancellationToken) is not { } known)
        {
            return;
        }

        if (Others(known.Owners).ToList() is { Count: > 0 } others)
        {
            await WriteAsync(name, known.Response, others, lease, cancellationToken);
        }
        else
        {
            await storage.DeleteAsync(KeyOf(name), lease, cancellationToken);
        }
    }

    /// <summary>Returns the responses that any instance shares under the given names.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<IReadOnlyDictionary<string, string>> FindManyAsync(
        IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var byKey = names.ToDictionary(KeyOf, name => name, StringComparer.Ordinal);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (byKey.Count == 1)
        {
            var (key, name) = byKey.Single();
            if (await storage.ReadAsync(key, cancellationToken) is { } value && Parse(value.Span) is { } known)
            {
                found[name] = known.Response;
            }

            return found;
        }

        var failures = new List<string>();
        var values = TolerantReader.ReadManyAsync(
            storage, byKey.Keys, (_, reason) => failures.Add(reason), NullLogger.Instance, cancellationToken);
        await foreach (var entry in values)
        {
            if (byKey.TryGetValue(entry.Key, out var name) && Parse(entry.Value.Span) is { } known)
            {
                found[name] = known.Response;
            }
        }

        return failures.Count < byKey.Count ? found : throw new StorageUnavailableException(failures[0]);
    }

    private IEnumerable<Owner> Others(IEnumerable<Owner> owners)
    {
        var now = time.GetUtcNow();
        return owners.Where(o => o.Id != _owner && (now - o.Since).Duration() < LongestUse);
    }

    private async Task<(string Response, IReadOnlyList<Owner> Owners)?> ReadAsync(string name, CancellationToken cancellationToken)
        => await storage.ReadAsync(KeyOf(name), cancellationToken) is { } value ? Parse(value.Span) : null;

    private static (string Response, IReadOnlyList<Owner> Owners)? Parse(ReadOnlySpan<byte> value)
    {
        var lines = Encoding.ASCII.GetString(value).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? null : (lines[0], [.. lines.Skip(1).Select(Owner.Parse).OfType<Owner>()]);
    }

    private async Task WriteAsync(
        string name, string response, IEnumerable<Owner> owners, IStorageLease? lease, CancellationToken cancellationToken)
    {
        var text = new StringBuilder(response);
        foreach (var owner in owners)
        {
            text.Append('\n').Append(owner);
        }

        await storage.WriteAsync(KeyOf(name), Encoding.ASCII.GetBytes(text.ToString()), lease, cancellationToken);
    }

    // Only the first digit of the hash: a store may keep a record of every lease name, and there is no limit to the number of tokens.
    private Task<IStorageLease?> TryAcquireAsync(string name, CancellationToken cancellationToken)
        => LeaseWait.TryAcquireAsync(
            storage, $"{prefix}{StorageKey.Hash(name)[0]}", LeaseDuration, LeasePoll, LongestWait, time, cancellationToken);

    // Hashed, because tokens contain upper-case letters and keys must not.
    private string KeyOf(string name) => prefix + StorageKey.Hash(name);

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
