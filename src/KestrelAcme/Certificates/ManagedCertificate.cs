using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates;

/// <summary>One certificate that should exist: what is wanted, what there is, and how it stands. Changed by one worker at a time, read by anybody.</summary>
internal sealed class ManagedCertificate(CertificateSpecification specification)
{
    private volatile CertificateSpecification _specification = specification;
    private volatile CertificateSnapshot? _current;
    private volatile CertificateStateRecord _state = CertificateStateRecord.Empty;
    private volatile CertificateSnapshot? _committing;
    private volatile RenewalRequest? _request;

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

    /// <summary>Whether what is served could not be stored yet.</summary>
    public bool Unsaved { get; set; }

    public RenewalRequest? Request => _request;

    public RenewalDecision Decide(bool renewalInfoOffered, DateTimeOffset now)
    {
        var (current, state) = (_current, _state);
        var advice = state.RenewalInfo?.SerialNumber == current?.SerialNumber ? state.RenewalInfo : null;
        return RenewalPolicy.Decide(current?.Facts(_specification, renewalInfoOffered, state.Revocation), advice, state.Failure, now);
    }

    /// <summary>Joins the request for a renewal that waits, or makes one.</summary>
    public RenewalRequest AskForRenewal()
    {
        while (true)
        {
            if (_request is { } waiting)
            {
                return waiting;
            }

            var request = new RenewalRequest();
            if (Interlocked.CompareExchange(ref _request, request, null) is null)
            {
                return request;
            }
        }
    }

    /// <summary>Answers the request that waits, if there is one.</summary>
    public void Answer(RenewalRequest? request, Exception? failure)
    {
        if (request is not null)
        {
            Interlocked.CompareExchange(ref _request, null, request);
            request.Complete(failure);
        }
    }

    public override string ToString() => Id;
}
