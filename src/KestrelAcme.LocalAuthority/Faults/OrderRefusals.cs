using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>Which orders are refused: by profile, by rate limit, and by the key of the certificate. Thread-safe.</summary>
internal sealed class OrderRefusals
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Problem> _profiles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Problem Problem, RetryAfter? RetryAfter)> _limited = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _seenKeys = new(StringComparer.Ordinal);
    private string? _keyProblem;
    private bool _refusesAllKeys;

    public void RefuseProfile(string profile, Problem problem)
    {
        lock (_gate)
        {
            _profiles[profile] = problem;
        }
    }

    public void Limit(string identifier, Problem problem, RetryAfter? retryAfter)
    {
        lock (_gate)
        {
            _limited[identifier] = (problem, retryAfter);
        }
    }

    public void RefuseKeys(string type, bool allKeys)
    {
        lock (_gate)
        {
            (_keyProblem, _refusesAllKeys) = (type, allKeys);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _profiles.Clear();
            _limited.Clear();
            (_keyProblem, _refusesAllKeys) = (null, false);
        }
    }

    public Problem? OfProfile(string? profile)
    {
        lock (_gate)
        {
            return _profiles.GetValueOrDefault(profile ?? "");
        }
    }

    public (Problem Problem, RetryAfter? RetryAfter)? LimitOf(IEnumerable<Identifier> identifiers)
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

    public Problem? OfKey(PublicKey key)
    {
        lock (_gate)
        {
            var isNew = _seenKeys.Add(AccountKey.FingerprintOf(key.ExportSubjectPublicKeyInfo()));
            return _keyProblem is { } type && (_refusesAllKeys || !isNew)
                ? Problem.Of(type, 400, "The public key of the certificate is forbidden.")
                : null;
        }
    }
}
