using System.Collections.Concurrent;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>
/// The open challenges of one type that all instances share: in the store for the others, and in memory with the response of this instance.
/// </summary>
/// <remarks>Safe for concurrent use. Finding a response takes no lock and never reads the store.</remarks>
/// <typeparam name="T">The response that is kept ready.</typeparam>
internal sealed class SharedChallengeTable<T>(
    string type,
    Func<SharedChallenge, string> nameOf,
    Func<SharedChallenge, string, T> respond,
    BoundedStorage storage,
    IAccountThumbprints accounts,
    TimeProvider time) : ISharedChallengeTable
    where T : class
{
    // More than the largest fleet has open at once. Beyond that, the oldest are forgotten: someone fills the store.
    public const int MaxOpen = 4096;

    // An order takes half an hour at most. What was left behind by an instance that died is forgotten.
    private static readonly TimeSpan LongestOpen = TimeSpan.FromHours(1);

    private readonly SharedChallengeResponses _stored = new(storage, time, type);
    private readonly ConcurrentDictionary<string, Entry> _open = new(StringComparer.Ordinal);

    public string Type => type;

    public string Prefix => _stored.Prefix;

    public BoundedStorage Storage => storage;

    public IEnumerable<string> Acknowledged => _open.Values.Where(e => e.IsCertain && !IsOld(e)).Select(e => e.Challenge.AcknowledgmentId);

    public string KeyOf(string name) => _stored.KeyOf(name);

    public string KeyOf(SharedChallenge challenge) => _stored.KeyOf(nameOf(challenge));

    public bool IsOwn(string key) => _stored.IsOwn(key);

    public bool IsWritten(string key) => _stored.IsWritten(key);

    /// <summary>Shares a challenge of this instance.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public Task AddAsync(SharedChallenge challenge, CancellationToken cancellationToken)
        => _stored.AddAsync(nameOf(challenge), challenge, cancellationToken);

    /// <summary>Removes a challenge from the store when it was removed as often as it was added, and no other instance needs it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written. Housekeeping removes what is left.</exception>
    public Task RemoveAsync(string name, CancellationToken cancellationToken) => _stored.RemoveAsync(name, cancellationToken);

    /// <summary>Returns the response to a challenge that another instance shares and this one has learned of.</summary>
    /// <param name="name">The token, or the server name.</param>
    public T? Find(string name)
        => !_open.IsEmpty && _open.TryGetValue(KeyOf(name), out var entry) && !IsOld(entry) ? entry.Response : null;

    public async ValueTask<bool> LearnAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        if (_stored.Decode(value.Span) is not { } challenge || KeyOf(challenge) != key)
        {
            // Damaged, or not written by KestrelAcme.
            Forget(key);
            return true;
        }

        if (_open.TryGetValue(key, out var known) && known.Challenge == challenge && known.IsCertain)
        {
            _open[key] = known with { Since = time.GetTimestamp() };
            return true;
        }

        if (await accounts.LoadAsync(challenge.DirectoryUrl, challenge.Suits, cancellationToken) is not { } thumbprint)
        {
            Forget(key);
            return false;
        }

        MakeRoom();
        _open[key] = new Entry(challenge, respond(challenge, thumbprint), challenge.Suits(thumbprint), time.GetTimestamp());
        return true;
    }

    /// <summary>Returns the response to a stored challenge without keeping it; <see langword="null"/> if there is none.</summary>
    public async ValueTask<T?> RespondAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
        => _stored.Decode(value.Span) is { } challenge && KeyOf(challenge) == key
            && await accounts.LoadAsync(challenge.DirectoryUrl, challenge.Suits, cancellationToken) is { } thumbprint
                ? respond(challenge, thumbprint)
                : null;

    public void Forget(string key) => _open.TryRemove(key, out _);

    public void ForgetAllBut(IReadOnlySet<string> keys)
    {
        foreach (var key in _open.Keys)
        {
            if (!keys.Contains(key))
            {
                Forget(key);
            }
        }
    }

    private void MakeRoom()
    {
        if (_open.Count < MaxOpen)
        {
            return;
        }

        foreach (var (key, _) in _open.OrderBy(e => e.Value.Since).Take(MaxOpen / 16))
        {
            Forget(key);
        }
    }

    private bool IsOld(Entry entry) => time.GetElapsedTime(entry.Since) > LongestOpen;

    /// <param name="Challenge">The challenge.</param>
    /// <param name="Response">What this instance responds.</param>
    /// <param name="IsCertain">Whether the account is the one that ordered, as far as the record tells.</param>
    /// <param name="Since">When this instance learned of it.</param>
    private sealed record Entry(SharedChallenge Challenge, T Response, bool IsCertain, long Since);
}

/// <summary>The open challenges of one type, as the feed fills them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ISharedChallengeTable
{
    string Type { get; }

    /// <summary>The prefix of the keys in the store.</summary>
    string Prefix { get; }

    /// <summary>The challenges of other instances that this one can respond to (<see cref="SharedChallenge.AcknowledgmentId"/>).</summary>
    IEnumerable<string> Acknowledged { get; }

    /// <summary>Returns the key of a challenge.</summary>
    string KeyOf(SharedChallenge challenge);

    /// <summary>Whether this instance shares the challenge under a key itself.</summary>
    bool IsOwn(string key);

    /// <summary>Whether the store has the challenge that this instance shares under a key.</summary>
    bool IsWritten(string key);

    /// <summary>Takes over a challenge from the store, with the account that this instance uses.</summary>
    /// <returns><see langword="false"/> if this instance has no account for it yet; try again later.</returns>
    /// <exception cref="StorageUnavailableException">The account could not be read.</exception>
    ValueTask<bool> LearnAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken);

    /// <summary>Forgets a challenge that is no longer in the store.</summary>
    void Forget(string key);

    /// <summary>Forgets all challenges that are no longer in the store.</summary>
    void ForgetAllBut(IReadOnlySet<string> keys);
}
