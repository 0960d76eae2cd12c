using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Challenges;

/// <summary>
/// Answers to challenges in the store, for the instances that share it. An authority may give two instances one pending authorization, and with it one token: each is noted as an owner of the
/// answer, and the last to be done takes it out.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedAnswers(BoundedStorage storage, TimeProvider time, string prefix)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LeaseWait = TimeSpan.FromSeconds(5);

    // An owner that is gone keeps an answer no longer: no challenge is open for a day.
    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);

    /// <summary>Shares an answer. Another one under the same name makes way for it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be told.</exception>
    public async Task AddAsync(string name, string answer, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _uses[name] = _uses.GetValueOrDefault(name) + 1;
        }

        // Better without the lease than not at all: an authority is about to ask for it.
        await using var lease = await TryAcquireAsync(name, cancellationToken);
        var owners = await ReadAsync(name, cancellationToken) is { } known && known.Answer == answer ? known.Owners : [];
        await WriteAsync(name, answer, [.. Others(owners), new Owner(_owner, time.GetUtcNow())], lease, cancellationToken);
    }

    /// <summary>Takes out an answer as often as it was added, unless another instance needs it too.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be told; what is left there is tidied up later.</exception>
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
            await WriteAsync(name, known.Answer, others, lease, cancellationToken);
        }
        else
        {
            await storage.DeleteAsync(KeyOf(name), lease, cancellationToken);
        }
    }

    /// <summary>The answers that any instance shares under some names.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<IReadOnlyDictionary<string, string>> FindManyAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var byKey = names.ToDictionary(KeyOf, name => name, StringComparer.Ordinal);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (byKey.Count == 1)
        {
            var (key, name) = byKey.Single();
            if (await storage.ReadAsync(key, cancellationToken) is { } value && Parse(value.Span) is { } known)
            {
                found[name] = known.Answer;
            }

            return found;
        }

        var failures = new List<string>();
        var values = TolerantReader.ReadManyAsync(storage, byKey.Keys, (_, reason) => failures.Add(reason), NullLogger.Instance, cancellationToken);
        await foreach (var entry in values)
        {
            if (byKey.TryGetValue(entry.Key, out var name) && Parse(entry.Value.Span) is { } known)
            {
                found[name] = known.Answer;
            }
        }

        return failures.Count < byKey.Count ? found : throw new StorageUnavailableException(failures[0]);
    }

    private IEnumerable<Owner> Others(IEnumerable<Owner> owners)
    {
        var now = time.GetUtcNow();
        return owners.Where(o => o.Id != _owner && (now - o.Since).Duration() < LongestUse);
    }

    private async Task<(string Answer, IReadOnlyList<Owner> Owners)?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        return await storage.ReadAsync(KeyOf(name), cancellationToken) is { } value ? Parse(value.Span) : null;
    }

    private static (string Answer, IReadOnlyList<Owner> Owners)? Parse(ReadOnlySpan<byte> value)
    {
        var lines = Encoding.ASCII.GetString(value).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? null : (lines[0], [.. lines.Skip(1).Select(Owner.Parse).OfType<Owner>()]);
    }

    private async Task WriteAsync(string name, string answer, IEnumerable<Owner> owners, IStorageLease? lease, CancellationToken cancellationToken)
    {
        var text = new StringBuilder(answer);
        foreach (var owner in owners)
        {
            text.Append('\n').Append(owner);
        }

        await storage.WriteAsync(KeyOf(name), Encoding.ASCII.GetBytes(text.ToString()), lease, cancellationToken);
    }

    private async Task<IStorageLease?> TryAcquireAsync(string name, CancellationToken cancellationToken)
    {
        // A store may keep a trace of each lease: there is no end of tokens.
        var lease = $"{prefix}{Hash(name)[0]}";
        var started = time.GetTimestamp();
        while (true)
        {
            if (await storage.TryAcquireLeaseAsync(lease, LeaseDuration, cancellationToken) is { } acquired)
            {
                return acquired;
            }

            if (time.GetElapsedTime(started) >= LeaseWait)
            {
                return null;
            }

            await Task.Delay(LeasePoll, time, cancellationToken);
        }
    }

    // Keys know no upper case, tokens do.
    private string KeyOf(string name) => prefix + Hash(name);

    private static string Hash(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name)));

    private sealed record Owner(string Id, DateTimeOffset Since)
    {
        public static Owner? Parse(string line)
            => line.Split(' ') is [var id, var since] && DateTimeOffset.TryParseExact(since, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? new Owner(id, at) : null;

        public override string ToString() => $"{Id} {Since.ToString("O", CultureInfo.InvariantCulture)}";
    }
}
