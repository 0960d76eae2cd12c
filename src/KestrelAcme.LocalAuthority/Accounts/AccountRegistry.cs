using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Stores accounts by ID and by key. Thread-safe.</summary>
internal sealed class AccountRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Account> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _idByFingerprint = new(StringComparer.Ordinal);
    private readonly HashSet<string> _forbidden = new(StringComparer.Ordinal);

    public Account? Find(string id)
    {
        lock (_gate)
        {
            return _byId.GetValueOrDefault(id);
        }
    }

    public Account? FindByKey(string fingerprint)
    {
        lock (_gate)
        {
            return _idByFingerprint.TryGetValue(fingerprint, out var id) ? _byId[id] : null;
        }
    }

    /// <summary>Adds the account, or returns the existing account with its key.</summary>
    public (Account Account, bool Created) GetOrAdd(Account account)
    {
        lock (_gate)
        {
            if (_idByFingerprint.TryGetValue(account.Key.Fingerprint, out var id))
            {
                return (_byId[id], false);
            }

            _byId.Add(account.Id, account);
            _idByFingerprint.Add(account.Key.Fingerprint, account.Id);
            return (account, true);
        }
    }

    public Account? Update(string id, Func<Account, Account> change)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out var account) ? _byId[id] = change(account) : null;
        }
    }

    /// <summary>Changes the key of an account. If another account already has that key, returns that account and changes nothing.</summary>
    public Account? ReplaceKey(string id, AccountKey key)
    {
        lock (_gate)
        {
            if (_idByFingerprint.TryGetValue(key.Fingerprint, out var holder))
            {
                return _byId[holder];
            }

            var account = _byId[id];
            _idByFingerprint.Remove(account.Key.Fingerprint);
            _idByFingerprint.Add(key.Fingerprint, id);
            _byId[id] = account with { Key = key, EarlierThumbprints = [account.Key.Thumbprint, .. account.EarlierThumbprints] };
            return null;
        }
    }

    /// <summary>Sets the status of all accounts. The keys of revoked accounts become forbidden.</summary>
    public void SetStatus(AccountStatus status)
    {
        lock (_gate)
        {
            foreach (var account in _byId.Values.ToList())
            {
                // A revoked account stays revoked.
                _byId[account.Id] = account.Status == AccountStatus.Revoked ? account : account with { Status = status };
                if (status == AccountStatus.Revoked)
                {
                    _forbidden.Add(account.Key.Fingerprint);
                }
            }
        }
    }

    /// <summary>Replaces the keys of all accounts, like a key change that the client has forgotten.</summary>
    public void ReplaceAllKeys(Func<AccountKey> create)
    {
        lock (_gate)
        {
            foreach (var account in _byId.Values.ToList())
            {
                var key = create();
                _idByFingerprint.Remove(account.Key.Fingerprint);
                _idByFingerprint.Add(key.Fingerprint, account.Id);
                _byId[account.Id] = account with { Key = key };
            }
        }
    }

    /// <summary>Whether a key must not be used for an account because it was revoked with one.</summary>
    public bool IsForbidden(string fingerprint)
    {
        lock (_gate)
        {
            return _forbidden.Contains(fingerprint);
        }
    }

    /// <summary>Removes all accounts, like a CA that has lost its data.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _byId.Clear();
            _idByFingerprint.Clear();
        }
    }
}
