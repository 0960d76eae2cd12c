using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>A name on demand, with its certificates: one for each key algorithm.</summary>
internal sealed class OnDemandName(OnDemandRecord record, IReadOnlyList<CertificateSpecification> specifications, long learned)
{
    private long _allowed;
    private long _asked;
    private volatile OnDemandRecord _record = record;
    private volatile bool _isDenied;

    public OnDemandRecord Record
    {
        get => _record;
        set => _record = value;
    }

    public IReadOnlyList<CertificateSpecification> Specifications { get; } = specifications;

    public IEnumerable<string> Names => Specifications[0].Identifiers.Select(i => i.Value);

    /// <summary>When this instance learned of the name, as a timestamp.</summary>
    public long Learned { get; } = learned;

    /// <summary>Whether the last decision was no.</summary>
    public bool IsDenied => _isDenied;

    /// <summary>When the permission was asked last, as a timestamp; zero if it was not.</summary>
    public long Asked => Volatile.Read(ref _asked);

    /// <summary>Whether another instance added it while this one ran.</summary>
    public bool WasLearnedLater { get; set; }

    /// <summary>Whether a client of this instance asked for it.</summary>
    public bool HasVisitor { get; set; }

    /// <summary>Whether it was allowed within a time.</summary>
    public bool IsAllowedWithin(TimeSpan age, TimeProvider time)
        => Volatile.Read(ref _allowed) is not 0 and var at && time.GetElapsedTime(at) < age;

    /// <summary>Notes a decision.</summary>
    public void Note(IssuanceDecision decision, long now)
    {
        Volatile.Write(ref _asked, now);
        if (decision.IsAllowed)
        {
            _isDenied = false;
            Volatile.Write(ref _allowed, now);
        }
        else
        {
            _isDenied = decision.Denial is not null || _isDenied;
            Volatile.Write(ref _allowed, 0);
        }
    }
}
