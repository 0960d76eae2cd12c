using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// A certificate that should exist: its specification, the current certificate, and its state. Changed by one worker at a time, read by
/// anybody.
/// </summary>
internal sealed class ManagedCertificate(CertificateSpecification specification)
{
    private volatile CertificateSpecification _specification = specification;
    private volatile CertificateSnapshot? _current;
    private volatile CertificateStateRecord _state = CertificateStateRecord.Empty;
    private volatile CertificateSnapshot? _committing;
    private volatile RenewalRequest? _request;
    private volatile bool _loaded;
    private volatile bool _isWithheld;

    public string Id => _specification.Id;

    public CertificateSpecification Specification => _specification;

    /// <summary>The certificate that is served; <see langword="null"/> if there is none.</summary>
    public CertificateSnapshot? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>What this instance is about to store and serve. The watcher must not take it for one of another instance.</summary>
    public CertificateSnapshot? Committing
    {
        get => _committing;
        set => _committing = value;
    }

    public CertificateStateRecord State
    {
        get => _state;
        set => _state = value;
    }

    /// <summary>Changes the state, from whichever thread: a change that is made at the same time is kept, too.</summary>
    /// <param name="change">Pure. It is called again if the state was changed meanwhile.</param>
    /// <returns>The state before and after the change.</returns>
    public (CertificateStateRecord Before, CertificateStateRecord After) ChangeState(
        Func<CertificateStateRecord, CertificateStateRecord> change)
    {
        while (true)
        {
            var before = _state;
            var after = change(before);
            if (ReferenceEquals(Interlocked.CompareExchange(ref _state, after, before), before))
            {
                return (before, after);
            }
        }
    }

    /// <summary>Whether a staging service is configured. Otherwise, a staging certificate counts as missing.</summary>
    public bool AcceptsStaging { get; private set; } = true;

    /// <summary>The configuration. Failures under other settings do not count.</summary>
    public ConfigurationSnapshot? Configuration { get; private set; }

    /// <summary>Whether the store was read. Before that, nothing is known and nothing is planned.</summary>
    public bool IsLoaded
    {
        get => _loaded;
        set => _loaded = value;
    }

    /// <summary>Whether the current certificate could not be stored yet.</summary>
    public bool Unsaved { get; set; }

    /// <summary>Whether the store does not have the last change of the state, because it could not be written.</summary>
    public bool IsStateUnstored { get; set; }

    /// <summary>The orders in a row whose certificate could not be stored.</summary>
    public UnstoredOrders? Unstored { get; set; }

    /// <summary>What the doctor found after the first failure.</summary>
    public FailureHints? Hints { get; set; }

    /// <summary>Whether the last attempt ended because its lease did. Twice in a row is a failure.</summary>
    public bool LostLease { get; set; }

    /// <summary>Whether the last attempt of this instance failed, and no instance has succeeded since, as far as it knows.</summary>
    public bool FailedHere { get; set; }

    /// <summary>The URL of the last order that this process placed, as the CA gave it.</summary>
    public Uri? PlacedOrder { get; set; }

    /// <summary>Whether another instance obtained the current certificate.</summary>
    public bool IsAdopted { get; set; }

    /// <summary>The checks of DNS for records that an operator has to create; <see langword="null"/> before the first one.</summary>
    public RecordLooks? Looks { get; set; }

    /// <summary>Returns what keeps a due order from being placed although no name is to blame: a refused account or profile.</summary>
    public Func<AccountBlock?>? Blocked { get; set; }

    /// <summary>Whether the certificate is not served, because nobody has allowed that yet. Only certificates on demand are.</summary>
    public bool IsWithheld
    {
        get => _isWithheld;
        set => _isWithheld = value;
    }

    /// <summary>
    /// Asks whether a certificate on demand may be ordered now; returns when to ask again if not. <see langword="null"/> for all others.
    /// </summary>
    public Func<ManagedCertificate, CancellationToken, Task<DateTimeOffset?>>? Permission { get; set; }

    /// <summary>
    /// Tells whether a certificate on demand is left to expire, because its name is denied or nobody has come for it for long.
    /// <see langword="null"/> for all others.
    /// </summary>
    public Func<ManagedCertificate, DateTimeOffset, bool>? LeftToExpire { get; set; }

    public RenewalRequest? Request => _request;

    /// <summary>The last failure, unless it happened under other settings.</summary>
    public FailureRecord? Failure => CountedFailure(_state);

    public RenewalDecision Decide(bool renewalInfoOffered, DateTimeOffset now)
    {
        var state = _state;
        if (state.State == CertificateState.Abandoned && CountedFailure(state) is not null)
        {
            return new RenewalDecision(
                CertificateAction.LookForNames, AbandonmentPolicy.NextLook(state.LookedAt, now), RenewalReason.Abandoned);
        }

        var (facts, advice) = Facts(state, renewalInfoOffered);
        return RenewalPolicy.Decide(facts, advice, CountedFailure(state), now, unfinished: !Unsaved && state.IsUnfinished);
    }

    /// <summary>Takes over the settings that are wanted now.</summary>
    public void Configure(CertificateSpecification wanted, ConfigurationSnapshot configuration, bool acceptsStaging)
    {
        // An equal specification is kept: long-lived objects should not be replaced with every pass.
        _specification = _specification == wanted ? _specification : wanted;
        (Configuration, AcceptsStaging) = (configuration, acceptsStaging);
    }

    /// <summary>Whether it is not renewed any more, on purpose. Nobody has to look at it.</summary>
    public bool IsLeftToExpire(DateTimeOffset now) => _specification.IsOnDemand && LeftToExpire?.Invoke(this, now) == true;

    /// <summary>Finds what an operator should look at.</summary>
    /// <param name="reasonNotToOrder">Why this instance orders nothing, if somebody should change that.</param>
    /// <param name="now">The current time.</param>
    public CertificateProblems FindProblems(string? reasonNotToOrder, DateTimeOffset now)
    {
        var state = _state;
        if (!_loaded || IsLeftToExpire(now))
        {
            return CertificateProblems.None;
        }

        var (facts, advice) = Facts(state, renewalInfoOffered: false);
        var due = facts?.Revocation == RevocationState.Replace ? state.Revocation!.At : RenewalPolicy.DueAt(facts, advice, now);
        var isBlocked = state.State == CertificateState.Blocked || Blocked?.Invoke() is not null
            || (reasonNotToOrder is not null && due <= now);
        return CertificateHealthPolicy.Find(facts, due, isBlocked, isAbandoned: state.State == CertificateState.Abandoned, now);
    }

    // A staging certificate counts as missing if no staging service is configured.
    private (CertificateFacts? Facts, RenewalInfoRecord? Advice) Facts(CertificateStateRecord state, bool renewalInfoOffered)
    {
        var current = _current;
        var advice = state.RenewalInfo is { } info && info.SerialNumber == current?.SerialNumber ? info : null;
        var facts = current?.Facts(_specification, renewalInfoOffered, state.Revocation);
        if (facts is not null && state.Issued is { Length: > 1 } issued)
        {
            facts = facts with { Issued = issued };
        }

        return (facts is null || AcceptsStaging || !current!.IsFromStaging ? facts : facts with { CoversNames = false }, advice);
    }

    // Changed settings may have fixed a failure of the name or of the operator.
    private FailureRecord? CountedFailure(CertificateStateRecord state)
        => state.Failure is { Cause: FailureCause.Operator or FailureCause.Name, Settings: { } settings }
            && Configuration is { } configuration && !IsOfThese(configuration, settings)
            ? null
            : state.Failure;

    private bool IsOfThese(ConfigurationSnapshot configuration, string settings)
        => configuration.Authorities.Any(a => SettingsFingerprint.Of(_specification, a, configuration.DnsProviders) == settings);

    /// <summary>
    /// Whether a stored certificate may replace the current one: only a newer one, never a worse one, and never a staging certificate by
    /// accident.
    /// </summary>
    public bool MayBeReplacedBy(CertificateSnapshot stored, DateTimeOffset now)
    {
        var current = _current;
        if (current is not null && !stored.IsSameAs(current))
        {
            var (mine, other) = (current.FindFault(_specification, now), stored.FindFault(_specification, now));
            if (mine != other)
            {
                return other < mine && !(stored.IsFromStaging && !AcceptsStaging);
            }
        }

        if (stored.IsFromStaging && !AcceptsStaging)
        {
            return current is null;
        }

        return current is null
            || (!stored.IsSameAs(current) && (stored.IsNewerThan(current, now) || (current.IsFromStaging && !AcceptsStaging)));
    }

    /// <summary>Returns the waiting request, or creates one.</summary>
    public RenewalRequest Ask(bool force)
    {
        while (true)
        {
            var waiting = _request;
            var request = waiting ?? new RenewalRequest();
            if (force)
            {
                request.Force();
            }

            // One that was taken meanwhile may be answered without an order: it must not be put back, nor joined.
            var mayJoin = waiting is null
                ? Interlocked.CompareExchange(ref _request, request, null) is null
                : ReferenceEquals(_request, waiting);
            if (mayJoin)
            {
                return request;
            }
        }
    }

    /// <summary>Completes the waiting request, if there is one.</summary>
    public void Answer(Exception? failure) => TakeRequest()?.Complete(failure);

    /// <summary>Completes the waiting request without an order, unless it is forced, possibly since the caller last looked.</summary>
    /// <returns><see langword="false"/> if a forced request waits for its order.</returns>
    public bool AnswerUnlessForced(Exception? failure)
    {
        var request = TakeRequest();
        if (request is { IsForced: true })
        {
            PutBack(request);
            return false;
        }

        request?.Complete(failure);
        return true;
    }

    /// <summary>
    /// Takes the waiting request to complete it with an outcome that is about to be published. A later request asks for another attempt.
    /// </summary>
    public RenewalRequest? TakeRequest() => Interlocked.Exchange(ref _request, null);

    /// <summary>Takes a request if it still waits. A later request keeps waiting.</summary>
    public RenewalRequest? TakeRequest(RenewalRequest? asked)
        => asked is not null && ReferenceEquals(Interlocked.CompareExchange(ref _request, null, asked), asked) ? asked : null;

    /// <summary>Whether two certificates have the same set of names, whatever their key algorithms are.</summary>
    public bool HasSameNamesAs(ManagedCertificate other)
        => ReferenceEquals(this, other)
            || (_specification.Identifiers.Count == other._specification.Identifiers.Count
                && _specification.Identifiers.All(other._specification.Identifiers.Contains));

    /// <summary>Puts back a request that was taken too early. If there is a newer one, it is completed together with that one.</summary>
    public void PutBack(RenewalRequest? request)
    {
        while (request is not null && Interlocked.CompareExchange(ref _request, request, null) is { } newer)
        {
            if (request.IsForced)
            {
                newer.Force();
            }

            // One that was taken before it was forced may be answered without an order.
            if (ReferenceEquals(_request, newer))
            {
                newer.AnswerToo(request);
                return;
            }
        }
    }

    public override string ToString() => Id;
}
