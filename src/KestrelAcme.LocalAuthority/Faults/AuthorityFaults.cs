using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>Faults to inject. All are off by default and can be changed while the CA is running. Thread-safe.</summary>
public sealed class AuthorityFaults
{
    private readonly Lock _gate = new();
    private readonly List<FaultRule> _rules = [];
    private readonly Dictionary<string, ValidationFailure> _failures = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _rejected = new(StringComparer.OrdinalIgnoreCase);
    private readonly AccountRegistry _accounts;
    private long _dateOffset;
    private (WrongCertificate Kind, int Times) _wrongCertificate;

    internal AuthorityFaults(AccountRegistry accounts) => _accounts = accounts;

    /// <summary>The percentage of valid nonces that are rejected with <c>badNonce</c>.</summary>
    /// <value>0 to 100; 0 by default.</value>
    public int RejectedNoncePercent { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>For how many more polls a new order stays <c>pending</c> after all its authorizations are valid.</summary>
    public int LateReadyPolls { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>For how many polls a finalized order stays <c>processing</c>, including the response to finalize.</summary>
    public int ProcessingPolls { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, finalized orders stay <c>processing</c>.</summary>
    public bool ProcessingStuck { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, submitted challenges stay <c>processing</c>. They are validated only after it is false again.</summary>
    public bool ValidationStuck { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, a new order reuses the account's pending authorizations for its names.</summary>
    public bool ReusePendingAuthorizations { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, a new order reuses the account's valid authorizations for its names.</summary>
    public bool ReuseValidAuthorizations { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, newOrder returns the account's pending or ready order for the same names, if there is one.</summary>
    public bool ReusePendingOrders { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, newOrder returns the account's valid order for the same names, if there is one, with its certificate.</summary>
    public bool ReuseValidOrders { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// If true, the authorizations of new orders are valid from the start, including those of wildcards, like at a CA that knows in advance
    /// which names a customer owns.
    /// </summary>
    public bool PreApprove { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// If true, submitting a challenge again during or after its validation fails with <c>conflict</c> (409), as with Boulder.
    /// </summary>
    public bool ConflictOnPostedChallenge { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// If set, finalizing an order fails with a problem of this type, such as <c>caa</c>, and the order becomes invalid.
    /// </summary>
    public string? EndOrdersAtFinalize { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If true, identifiers, authorizations and challenges are returned in random order.</summary>
    public bool Shuffle { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>If set, orders with <c>replaces</c> fail with this problem.</summary>
    public RefusedReplaces? RefuseReplaces { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>The difference between the Date header and the CA's clock.</summary>
    public TimeSpan DateOffset
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _dateOffset));
        set => Interlocked.Exchange(ref _dateOffset, value.Ticks);
    }

    internal OrderRefusals Refusals { get; } = new();

    internal RetryAfter? PollingRetryAfter { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>
    /// Makes the next requests for a resource fail. Rules are used in the order in which they were added, one per
    /// request.
    /// </summary>
    /// <param name="resource">The resource; null for all.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="times">The number of requests; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void Inject(ResourceKind? resource, Fault fault, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        lock (_gate)
        {
            _rules.Add(new FaultRule(resource, fault, times));
        }
    }

    /// <summary>Sets the Retry-After header of authorizations and of orders that are <c>processing</c>.</summary>
    /// <param name="delay">The delay; null (the default) omits the header.</param>
    /// <param name="asDate">Whether the header is a date instead of seconds.</param>
    public void SetPollingRetryAfter(TimeSpan? delay, bool asDate = false) =>
        PollingRetryAfter = delay is { } value ? new RetryAfter(value, asDate) : null;

    /// <summary>Makes validations of a name fail without performing them.</summary>
    /// <param name="identifier">The name (without <c>*.</c>) or address.</param>
    /// <param name="type">The problem type, such as <c>unauthorized</c>, <c>dns</c>, <c>caa</c>, <c>connection</c>.</param>
    /// <param name="detail">The problem's detail.</param>
    /// <param name="times">The number of validations; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void FailValidation(
        string identifier, string type = "unauthorized", string detail = "An injected failure.", int times = int.MaxValue)
    {
        lock (_gate)
        {
            _failures[identifier] = new ValidationFailure(Problem.Of(type, 403, detail), times);
        }
    }

    /// <summary>Makes new orders for an identifier fail with <c>rejectedIdentifier</c>, as a subproblem if there are other names.</summary>
    /// <param name="identifier">The identifier as ordered (a wildcard with its <c>*.</c>).</param>
    /// <param name="detail">The problem's detail.</param>
    public void RejectIdentifier(string identifier, string detail = "The authority does not issue for this name.")
    {
        lock (_gate)
        {
            _rejected[identifier] = detail;
        }
    }

    /// <summary>Makes the next certificates wrong.</summary>
    /// <param name="kind">What is wrong with them.</param>
    /// <param name="times">The number of certificates; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void IssueWrongCertificate(WrongCertificate kind, int times = 1)
    {
        lock (_gate)
        {
            _wrongCertificate = (kind, times);
        }
    }

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
        => Refusals.RefuseProfile(profile, Problem.Of(type, 403, detail));

    /// <summary>Makes new orders for an identifier, or a name below it, exceed a rate limit (429).</summary>
    /// <param name="identifier">The identifier.</param>
    /// <param name="retryAfter">The value of <c>Retry-After</c>; null omits the header.</param>
    /// <param name="detail">The problem's detail.</param>
    public void LimitOrders(string identifier, TimeSpan? retryAfter = null, string detail = "Too many certificates for this name.")
    {
        RetryAfter? header = retryAfter is { } delay ? new RetryAfter(delay, AsDate: false) : null;
        Refusals.Limit(identifier, Problem.Of("rateLimited", 429, detail), header);
    }

    /// <summary>Makes finalizations fail if their key was sent before, for another certificate or in a rejected request.</summary>
    /// <param name="type">The problem type: <c>badPublicKey</c>, or <c>badCSR</c> as with some CAs.</param>
    /// <param name="allKeys">Whether new keys are rejected, too.</param>
    public void RefuseCertificateKeys(string type = "badPublicKey", bool allKeys = false)
        => Refusals.RefuseKeys(type, allKeys);

    /// <summary>Turns all faults off. Removed accounts stay removed.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _rules.Clear();
            _failures.Clear();
            _rejected.Clear();
            _wrongCertificate = default;
        }

        Refusals.Clear();
        (RejectedNoncePercent, LateReadyPolls, ProcessingPolls) = (0, 0, 0);
        (ProcessingStuck, ValidationStuck, Shuffle) = (false, false, false);
        (ReusePendingAuthorizations, ReuseValidAuthorizations, ReusePendingOrders) = (false, false, false);
        (PreApprove, ConflictOnPostedChallenge, ReuseValidOrders) = (false, false, false);
        EndOrdersAtFinalize = null;
        RefuseReplaces = null;
        PollingRetryAfter = null;
        DateOffset = TimeSpan.Zero;
    }

    internal bool RejectsNonce() => RejectedNoncePercent > 0 && RandomNumberGenerator.GetInt32(100) < RejectedNoncePercent;

    internal Fault? Take(ResourceKind resource)
    {
        lock (_gate)
        {
            var rule = _rules.Find(r => r.TryUse(resource));
            _rules.RemoveAll(r => r.IsSpent);
            return rule?.Fault;
        }
    }

    internal Problem? TakeValidationFailure(Identifier identifier)
    {
        lock (_gate)
        {
            if (!_failures.TryGetValue(identifier.Value, out var failure) || failure.Times == 0)
            {
                return null;
            }

            _failures[identifier.Value] = failure with { Times = failure.Times == int.MaxValue ? failure.Times : failure.Times - 1 };
            return failure.Problem;
        }
    }

    internal Problem? RejectionOf(Identifier identifier)
    {
        lock (_gate)
        {
            return _rejected.TryGetValue(identifier.Value, out var detail) ? Problem.RejectedIdentifier(identifier, detail) : null;
        }
    }

    internal WrongCertificate TakeWrongCertificate()
    {
        lock (_gate)
        {
            var (kind, times) = _wrongCertificate;
            if (times == 0)
            {
                return WrongCertificate.None;
            }

            _wrongCertificate = (kind, times == int.MaxValue ? times : times - 1);
            return kind;
        }
    }

    private static AccountKey CreateKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new AccountKey("ES256", key.ExportSubjectPublicKeyInfo(), Base64UrlText.Encode(RandomNumberGenerator.GetBytes(32)));
    }
}
