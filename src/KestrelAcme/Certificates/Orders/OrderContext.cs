using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Orders;

/// <summary>One run of the order flow: the certificate, the CA, and what stops it.</summary>
internal sealed record OrderContext
{
    private readonly Lock _lock = new();
    private DateTimeOffset? _recordsEnd;

    /// <summary>The certificate that is ordered.</summary>
    public required ManagedCertificate Certificate { get; init; }

    /// <summary>What is ordered: as it was wanted when the attempt began.</summary>
    public required CertificateSpecification Specification { get; init; }

    public required CertificateAuthority Authority { get; init; }

    public required bool TermsAccepted { get; init; }

    /// <summary>The certificate that is served now and will be replaced; <see langword="null"/> for the first.</summary>
    public CertificateRecord? Current { get; init; }

    /// <summary>Whether a renewal keeps the private key.</summary>
    public bool ReuseKey { get; init; }

    /// <summary>Whether the operator or the app asked for a new certificate.</summary>
    public bool IsForced { get; init; }

    /// <summary>Throws if no further certificate for exactly these names may be ordered now.</summary>
    public Action ThrowIfLimited { get; init; } = static () => { };

    /// <summary>
    /// Whether another certificate has this order: a CA returns the same pending order for the same names, whatever the key.
    /// </summary>
    public Func<Uri, bool> IsTaken { get; init; } = static _ => false;

    public required CertificateStateWriter Writer { get; init; }

    /// <summary>
    /// When the first of the records expires that were seen and stay in DNS (dns-persist-01); <see cref="DateTimeOffset.MaxValue"/> if none
    /// of them does, and <see langword="null"/> if none was seen.
    /// </summary>
    public DateTimeOffset? RecordsEnd
    {
        get
        {
            lock (_lock)
            {
                return _recordsEnd;
            }
        }
    }

    /// <summary>Notes when a record expires. Safe for concurrent use.</summary>
    public void NoteRecordEnd(DateTimeOffset end)
    {
        lock (_lock)
        {
            _recordsEnd = _recordsEnd < end ? _recordsEnd : end;
        }
    }

    /// <summary>Cancelled when the host starts to stop: nothing new is asked of the CA after that.</summary>
    public required CancellationToken Stopping { get; init; }
}
