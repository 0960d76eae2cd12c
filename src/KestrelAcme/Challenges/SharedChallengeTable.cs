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

    // What the instance that ordered removes is forgotten at once. If a list does not have a challenge, the store may have been emptied
    // while the CA validates.
    private static readonly TimeSpan KeptWithoutRecord = TimeSpan.FromMinutes(2);

    private readonly SharedChallengeResponses _stored = new(storage, time, type);
    private readonly ConcurrentDictionary<string, Entry> _open = new(StringComparer.Ordinal);

    public string Type => type;

    public string Prefix => _stored.Prefix;

    public bool IsLookedUp { get; init; }

    public BoundedStorage Storage => storage;

    public IEnumerable<string> Acknowledged => _open.Values.Where(e => e.IsCertain && !IsOld(e)).SelectMany(e => e.Shares);

    public string KeyOf(string name) => _stored.KeyOf(name);

    public string KeyOf(SharedChallenge challenge) => _stored.KeyOf(nameOf(challenge));

    public bool IsOwn(string key) => _stored.IsOwn(key);

    public SharedAs? ShareOf(string key) => _stored.ShareOf(key);

    public Task ShareAgainAsync(IReadOnlySet<string> stored, CancellationToken cancellationToken)
        => _stored.ShareAgainAsync(stored, cancellationToken);

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
        if (_stored.Decode(value.Span, out var shares) is not { } challenge || KeyOf(challenge) != key)
        {
            // Damaged, or not written by KestrelAcme.
            Forget(key);
            return true;
        }

        if (_open.TryGetValue(key, out var known) && known.Challenge == challenge && known.IsCertain)
        {
            _open[key] = known with { Shares = shares, Since = time.GetTimestamp(), Lifetime = LongestOpen };
            return true;
        }

        if (await accounts.LoadAsync(challenge.DirectoryUrl, challenge.Suits, cancellationToken) is not { } thumbprint)
        {
            Forget(key);
            return false;
        }

        MakeRoom();
        _open[key] = new Entry(
            challenge, shares, respond(challenge, thumbprint), challenge.Suits(thumbprint), time.GetTimestamp(), LongestOpen);
        return true;
    }

    /// <summary>Returns the response to a stored challenge without keeping it; <see langword="null"/> if there is none.</summary>
    public async ValueTask<T?> RespondAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
        => _stored.Decode(value.Span, out _) is { } challenge && KeyOf(challenge) == key
            && await accounts.LoadAsync(challenge.DirectoryUrl, challenge.Suits, cancellationToken) is { } thumbprint
                ? respond(challenge, thumbprint)
                : null;

    public void Forget(string key) => _open.TryRemove(key, out _);

    public void ForgetAllBut(IReadOnlySet<string> keys)
    {
        foreach (var (key, entry) in _open)
        {
            if (IsOld(entry))
            {
                Forget(key);
            }
            else if (!keys.Contains(key) && entry.Lifetime == LongestOpen)
            {
                _open.TryUpdate(key, entry with { Since = time.GetTimestamp(), Lifetime = KeptWithoutRecord }, entry);
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

    private bool IsOld(Entry entry) => time.GetElapsedTime(entry.Since) > entry.Lifetime;

    /// <param name="Challenge">The challenge.</param>
    /// <param name="Shares">What its owners wait for to be acknowledged.</param>
    /// <param name="Response">What this instance responds.</param>
    /// <param name="IsCertain">Whether the account is the one that ordered, as far as the record tells.</param>
    /// <param name="Since">When this instance learned of it, or missed it in a list.</param>
    /// <param name="Lifetime">How long it is kept from then.</param>
    private sealed record Entry(
        SharedChallenge Challenge, string[] Shares, T Response, bool IsCertain, long Since, TimeSpan Lifetime);
}

/// <summary>The open challenges of one type, as the feed fills them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ISharedChallengeTable
{
    string Type { get; }

    /// <summary>The prefix of the keys in the store.</summary>
    string Prefix { get; }

    /// <summary>Whether an instance that has not learned of a challenge looks for it in the store when a CA requests it.</summary>
    bool IsLookedUp { get; }

    /// <summary>The challenges of other instances that this one can respond to (<see cref="SharedAs.Share"/>).</summary>
    IEnumerable<string> Acknowledged { get; }

    /// <summary>Returns the key of a challenge.</summary>
    string KeyOf(SharedChallenge challenge);

    /// <summary>Whether this instance shares the challenge under a key itself.</summary>
    bool IsOwn(string key);

    /// <summary>Returns how this instance shares the challenge under a key; <see langword="null"/> if it does not.</summary>
    SharedAs? ShareOf(string key);

    /// <summary>Shares those challenges of this instance again that are gone from the store because it was emptied.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    Task ShareAgainAsync(IReadOnlySet<string> stored, CancellationToken cancellationToken);

    /// <summary>Takes over a challenge from the store, with the account that this instance uses.</summary>
    /// <returns><see langword="false"/> if this instance has no account for it yet; try again later.</returns>
    /// <exception cref="StorageUnavailableException">The account could not be read.</exception>
    ValueTask<bool> LearnAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken);

    /// <summary>Forgets a challenge that is no longer in the store.</summary>
    void Forget(string key);

    /// <summary>Forgets all challenges that are no longer in the store, unless it is reported again, after two minutes.</summary>
    void ForgetAllBut(IReadOnlySet<string> keys);
}
