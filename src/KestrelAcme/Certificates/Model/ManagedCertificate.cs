using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Model;

/// <summary>One certificate that should exist: what is wanted, what there is, and how it stands. Changed by one worker at a time, read by anybody.</summary>
internal sealed class ManagedCertificate(CertificateSpecification specification)
{
    private volatile CertificateSpecification _specification = specification;
    private volatile CertificateSnapshot? _current;
    private volatile CertificateStateRecord _state = CertificateStateRecord.Empty;
    private volatile CertificateSnapshot? _committing;
    private volatile RenewalRequest? _request;
    private volatile bool _loaded;

    public string Id => _specification.Id;

    public CertificateSpecification Specification
    {
        get => _specification;
        set => _specification = value;
    }

    /// <summary>The certificate that is served; <see langword="null"/> while there is none.</summary>
    public CertificateSnapshot? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The certificate that this instance is about to store and to serve: whoever follows the store must not take it for another instance's.</summary>
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

    /// <summary>Whether a staging service is configured: else a certificate of one is as good as none.</summary>
    public bool AcceptsStaging { get; set; } = true;

    /// <summary>The authorities in force: a failure under other settings no longer counts.</summary>
    public IReadOnlyList<AuthoritySpecification>? Authorities { get; set; }

    /// <summary>Whether the store was asked for it. Before that nothing is known of it, and nothing is planned.</summary>
    public bool IsLoaded
    {
        get => _loaded;
        set => _loaded = value;
    }

    /// <summary>Whether what is served could not be stored yet.</summary>
    public bool Unsaved { get; set; }

    /// <summary>The orders in a row whose certificate could not be stored.</summary>
    public UnstoredOrders? Unstored { get; set; }

    /// <summary>The looks at DNS for what a person has to repair; <see langword="null"/> before the first of this process.</summary>
    public RecordLooks? Looks { get; set; }

    /// <summary>Tells what keeps it from being ordered although it is due, and none of its names is to blame for: an account or a profile that an authority refuses.</summary>
    public Func<AccountBlock?>? Blocked { get; set; }

    public RenewalRequest? Request => _request;

    /// <summary>The failures that still count: those under other settings do not.</summary>
    public CertificateFailure? Failure => CountedFailure(_state);

    public RenewalDecision Decide(bool renewalInfoOffered, DateTimeOffset now)
    {
        var (current, state) = (_current, _state);
        var advice = state.RenewalInfo is { } info && info.SerialNumber == current?.SerialNumber ? info : null;
        var facts = current?.Facts(_specification, renewalInfoOffered, state.Revocation);
        if (facts is not null && state.Issued is { Length: > 1 } issued)
        {
            facts = facts with { Issued = issued };
        }

        if (state.State == CertificateState.Abandoned && CountedFailure(state) is not null)
        {
            return new RenewalDecision(CertificateAction.LookForNames, AbandonmentPolicy.NextLook(state.LookedAt, now), RenewalReason.Abandoned);
        }

        return RenewalPolicy.Decide(
            facts is null || AcceptsStaging || !current!.IsFromStaging ? facts : facts with { CoversNames = false },
            advice,
            CountedFailure(state),
            now,
            unfinished: !Unsaved && state.IsUnfinished);
    }

    // What the operator, or the name, has to mend may be mended once the settings are others.
    private CertificateFailure? CountedFailure(CertificateStateRecord state)
        => state.Failure is { Cause: FailureCause.Operator or FailureCause.Name, Settings: { } settings } && Authorities is { } authorities && !IsOfThese(authorities, settings)
            ? null
            : state.Failure;

    private bool IsOfThese(IReadOnlyList<AuthoritySpecification> authorities, string settings)
        => authorities.Any(a => SettingsFingerprint.Of(_specification, a) == settings);

    /// <summary>
    /// Whether one certificate may take the place of another that is served: a later one, never one that is worse, and never one of a staging service by accident.
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

        return current is null || (!stored.IsSameAs(current) && (stored.IsNewerThan(current, now) || (current.IsFromStaging && !AcceptsStaging)));
    }

    /// <summary>Joins the request that waits, or makes one.</summary>
    public RenewalRequest Ask(bool force)
    {
        while (true)
        {
            var request = _request ?? new RenewalRequest();
            if (force)
            {
                request.Force();
            }

            if (ReferenceEquals(_request, request) || Interlocked.CompareExchange(ref _request, request, null) is null)
            {
                return request;
            }
        }
    }

    /// <summary>Answers the request that waits, if there is one.</summary>
    public void Answer(Exception? failure) => TakeRequest()?.Complete(failure);

    /// <summary>Takes the request that waits, to be answered with an outcome that is about to be made known: who asks after that asks for another attempt.</summary>
    public RenewalRequest? TakeRequest() => Interlocked.Exchange(ref _request, null);

    /// <summary>Takes a request if it still waits; one that was made since goes on waiting.</summary>
    public RenewalRequest? TakeRequest(RenewalRequest? asked)
        => asked is not null && ReferenceEquals(Interlocked.CompareExchange(ref _request, null, asked), asked) ? asked : null;

    /// <summary>Whether two certificates are for the same set of names, whatever their key algorithms.</summary>
    public bool HasSameNamesAs(ManagedCertificate other)
        => ReferenceEquals(this, other)
            || (_specification.Identifiers.Count == other._specification.Identifiers.Count
                && _specification.Identifiers.All(other._specification.Identifiers.Contains));

    /// <summary>Puts back a request that was taken too early; where there is a newer one, it is answered when that one is.</summary>
    public void PutBack(RenewalRequest? request)
    {
        if (request is not null && Interlocked.CompareExchange(ref _request, request, null) is { } newer)
        {
            newer.AnswerToo(request);
        }
    }

    public override string ToString() => Id;
}
