using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>What goes wrong on purpose. Thread-safe; everything may be changed while the authority runs, all is off by default.</summary>
public sealed partial class AuthorityFaults
{
    private readonly Lock _gate = new();
    private readonly List<FaultRule> _rules = [];
    private readonly Dictionary<string, ValidationFailure> _failures = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _rejected = new(StringComparer.OrdinalIgnoreCase);
    private readonly AccountRegistry _accounts;
    private long _dateOffset;
    private (WrongCertificate Kind, int Times) _wrongCertificate;

    internal AuthorityFaults(AccountRegistry accounts) => _accounts = accounts;

    /// <summary>How many of 100 good nonces are rejected with <c>badNonce</c>.</summary>
    /// <value>0 to 100; by default 0.</value>
    public int RejectedNoncePercent { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>How many looks at a new order still say <c>pending</c> after all of its authorizations are valid.</summary>
    public int LateReadyPolls { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>How many looks at a finalized order still say <c>processing</c>, the answer to finalize among them.</summary>
    public int ProcessingPolls { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, orders that are finalized stay <c>processing</c>.</summary>
    public bool ProcessingStuck { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, challenges that are posted stay <c>processing</c>; they are validated after it is false again and not before.</summary>
    public bool ValidationStuck { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, a new order gets the account's pending authorizations for its names.</summary>
    public bool ReusePendingAuthorizations { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, a new order gets the account's valid authorizations for its names.</summary>
    public bool ReuseValidAuthorizations { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, an order for the same names as a pending or ready one of the account answers with that one.</summary>
    public bool ReusePendingOrders { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// While true, authorizations of new orders are valid from the beginning, those of wildcards too, as at an authority that knows
    /// beforehand which names a customer has.
    /// </summary>
    public bool PreApprove { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// While true, a challenge that is posted again while it is validated, or after that, is refused with <c>conflict</c> (409),
    /// as Boulder does.
    /// </summary>
    public bool ConflictOnPostedChallenge { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>
    /// While set, finalizing an order is refused with a problem of this type, such as <c>caa</c>, and the order ends as invalid.
    /// </summary>
    public string? EndOrdersAtFinalize { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While true, identifiers, authorizations and challenges come in random order.</summary>
    public bool Shuffle { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>While set, orders with <c>replaces</c> are refused with it.</summary>
    public RefusedReplaces? RefuseReplaces { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>How far the Date header is from the authority's clock.</summary>
    public TimeSpan DateOffset
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _dateOffset));
        set => Interlocked.Exchange(ref _dateOffset, value.Ticks);
    }

    internal RetryAfter? PollingRetryAfter { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Makes the next requests for a resource go wrong. Rules are used up in the order in which they were made, one per request.</summary>
    /// <param name="resource">Which requests; null for all.</param>
    /// <param name="fault">What happens to them.</param>
    /// <param name="times">How many of them; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void Inject(ResourceKind? resource, Fault fault, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        lock (_gate)
        {
            _rules.Add(new FaultRule(resource, fault, times));
        }
    }

    /// <summary>Sets the Retry-After of authorizations and of orders that are <c>processing</c>.</summary>
    /// <param name="delay">The delay; null leaves the header out, as by default.</param>
    /// <param name="asDate">Whether it is a date rather than seconds.</param>
    public void SetPollingRetryAfter(TimeSpan? delay, bool asDate = false) =>
        PollingRetryAfter = delay is { } value ? new RetryAfter(value, asDate) : null;

    /// <summary>Makes validations of a name fail without looking.</summary>
    /// <param name="identifier">The name (without <c>*.</c>) or address.</param>
    /// <param name="type">The problem's type, such as <c>unauthorized</c>, <c>dns</c>, <c>caa</c>, <c>connection</c>.</param>
    /// <param name="detail">The text for people.</param>
    /// <param name="times">How many validations; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void FailValidation(string identifier, string type = "unauthorized", string detail = "A failure that was asked for.", int times = int.MaxValue)
    {
        lock (_gate)
        {
            _failures[identifier] = new ValidationFailure(Problem.Of(type, 403, detail), times);
        }
    }

    /// <summary>Makes new orders that name an identifier fail with <c>rejectedIdentifier</c>, as a subproblem when there are other names.</summary>
    /// <param name="identifier">The identifier as ordered (a wildcard with its <c>*.</c>).</param>
    /// <param name="detail">The text for people.</param>
    public void RejectIdentifier(string identifier, string detail = "The authority does not issue for this name.")
    {
        lock (_gate)
        {
            _rejected[identifier] = detail;
        }
    }

    /// <summary>Makes the next certificates wrong.</summary>
    /// <param name="kind">What is wrong with them.</param>
    /// <param name="times">How many; <see cref="int.MaxValue"/> for all until <see cref="Clear"/>.</param>
    public void IssueWrongCertificate(WrongCertificate kind, int times = 1)
    {
        lock (_gate)
        {
            _wrongCertificate = (kind, times);
        }
    }

    /// <summary>Turns everything off. Lost accounts stay lost.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _rules.Clear();
            _failures.Clear();
            _rejected.Clear();
            _wrongCertificate = default;
            ClearRefusals();
        }

        (RejectedNoncePercent, LateReadyPolls, ProcessingPolls) = (0, 0, 0);
        (ProcessingStuck, ValidationStuck, Shuffle) = (false, false, false);
        (ReusePendingAuthorizations, ReuseValidAuthorizations, ReusePendingOrders) = (false, false, false);
        (PreApprove, ConflictOnPostedChallenge) = (false, false);
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
}
