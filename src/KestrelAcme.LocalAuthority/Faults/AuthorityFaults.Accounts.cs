using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <content>Faults of accounts, profiles, limits and keys.</content>
public sealed partial class AuthorityFaults
{
    private readonly Dictionary<string, Problem> _refusedProfiles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Problem Problem, RetryAfter? RetryAfter)> _limited = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _seenKeys = new(StringComparer.Ordinal);
    private string? _keyProblem;
    private bool _refusesAllKeys;

    /// <summary>Removes all accounts, like a CA that has lost its data: their requests fail with <c>accountDoesNotExist</c>.</summary>
    public void LoseAccounts() => _accounts.Clear();

    /// <summary>
    /// Deactivates all accounts (RFC 8555 section 7.3.6): their requests, and looking them up by key, fail with
    /// <c>unauthorized</c>.
    /// </summary>
    public void DeactivateAccounts() => _accounts.SetStatus(AccountStatus.Deactivated);

    /// <summary>Makes deactivated accounts valid again, as a CA's staff may do. Revoked accounts stay revoked.</summary>
    public void ReactivateAccounts() => _accounts.SetStatus(AccountStatus.Valid);

    /// <summary>
    /// Revokes all accounts, as after a leak of their keys: their requests fail with <c>unauthorized</c>, and their keys can
    /// never be used for an account again (<c>badPublicKey</c>).
    /// </summary>
    public void RevokeAccounts() => _accounts.SetStatus(AccountStatus.Revoked);

    /// <summary>
    /// Replaces the keys of all accounts, like a key change that the client has forgotten: its requests fail with
    /// <c>malformed</c>.
    /// </summary>
    public void ChangeAccountKeys() => _accounts.ReplaceAllKeys(CreateKey);

    /// <summary>Makes new orders for a profile fail, whatever their names.</summary>
    /// <param name="profile">The profile; empty for orders without a profile.</param>
    /// <param name="type">The problem type: <c>unauthorized</c> as for an account that may not use it, or <c>invalidProfile</c>.</param>
    /// <param name="detail">The problem's detail.</param>
    public void RefuseProfile(
        string profile,
        string type = "unauthorized",
        string detail = "This account is not permitted to use the certificate profile.")
    {
        lock (_gate)
        {
            _refusedProfiles[profile] = Problem.Of(type, 403, detail);
        }
    }

    /// <summary>Makes new orders for an identifier, or a name below it, exceed a rate limit (429).</summary>
    /// <param name="identifier">The identifier.</param>
    /// <param name="retryAfter">The value of <c>Retry-After</c>; null omits the header.</param>
    /// <param name="detail">The problem's detail.</param>
    public void LimitOrders(string identifier, TimeSpan? retryAfter = null, string detail = "Too many certificates for this name.")
    {
        lock (_gate)
        {
            RetryAfter? header = retryAfter is { } delay ? new RetryAfter(delay, AsDate: false) : null;
            _limited[identifier] = (Problem.Of("rateLimited", 429, detail), header);
        }
    }

    /// <summary>Makes finalizations fail if their key was sent before, for another certificate or in a rejected request.</summary>
    /// <param name="type">The problem type: <c>badPublicKey</c>, or <c>badCSR</c> as with some CAs.</param>
    /// <param name="allKeys">Whether new keys are rejected, too.</param>
    public void RefuseCertificateKeys(string type = "badPublicKey", bool allKeys = false)
    {
        lock (_gate)
        {
            (_keyProblem, _refusesAllKeys) = (type, allKeys);
        }
    }

    internal Problem? RefusalOfProfile(string? profile)
    {
        lock (_gate)
        {
            return _refusedProfiles.GetValueOrDefault(profile ?? "");
        }
    }

    internal (Problem Problem, RetryAfter? RetryAfter)? LimitOf(IEnumerable<Identifier> identifiers)
    {
        lock (_gate)
        {
            foreach (var identifier in identifiers)
            {
                foreach (var (name, limit) in _limited)
                {
                    if (string.Equals(identifier.Value, name, StringComparison.OrdinalIgnoreCase)
                        || identifier.Value.EndsWith("." + name, StringComparison.OrdinalIgnoreCase))
                    {
                        return limit;
                    }
                }
            }

            return null;
        }
    }

    internal Problem? RefusalOfKey(PublicKey key)
    {
        lock (_gate)
        {
            var isNew = _seenKeys.Add(AccountKey.FingerprintOf(key.ExportSubjectPublicKeyInfo()));
            return _keyProblem is { } type && (_refusesAllKeys || !isNew)
                ? Problem.Of(type, 400, "The public key of the certificate is forbidden.")
                : null;
        }
    }

    private void ClearRefusals()
    {
        _refusedProfiles.Clear();
        _limited.Clear();
        (_keyProblem, _refusesAllKeys) = (null, false);
    }

    private static AccountKey CreateKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new AccountKey("ES256", key.ExportSubjectPublicKeyInfo(), Base64UrlText.Encode(RandomNumberGenerator.GetBytes(32)));
    }
}
