using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>A name on demand, with its certificates: one for each key algorithm.</summary>
internal sealed class OnDemandName(OnDemandRecord record, IReadOnlyList<CertificateSpecification> specifications, long learned)
{
    // Each may be asked about before a renewal, until one is allowed.
    private const int MaxAllowedNames = 32;

    // Two instances may change the record at the same moment, and one change is lost. So a denial that was decided here just now is not
    // taken back by what the store says, nor is an allowed name.
    private static readonly TimeSpan OwnDecision = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _allowed;
    private long _asked;
    private long _visited;
    private volatile OnDemandRecord _record = record;
    private volatile IReadOnlyList<string> _allowedNames = record.AllowedNames ?? [];
    private volatile bool _isDenied = record.DeniedAt is not null;

    /// <summary>The record as this instance last saw it in the store.</summary>
    public OnDemandRecord Record => _record;

    public IReadOnlyList<CertificateSpecification> Specifications { get; } = specifications;

    public IEnumerable<string> Names => Specifications[0].Identifiers.Select(i => i.Value);

    /// <summary>
    /// Whether its certificate serves names of several clients, because it is a wildcard or has several names. A denial of one says nothing
    /// about the others.
    /// </summary>
    public bool IsShared => Specifications[0].Identifiers.Count > 1 || Specifications[0].Identifiers[0].IsWildcard;

    /// <summary>The names of the clients that were allowed last, if it is shared.</summary>
    public IReadOnlyList<string> AllowedNames => _allowedNames;

    /// <summary>When this instance learned of the name, as a timestamp.</summary>
    public long Learned { get; } = learned;

    /// <summary>Whether the last decision was no, here or, before this instance was started, elsewhere.</summary>
    public bool IsDenied => _isDenied;

    /// <summary>When the permission was asked last, as a timestamp; zero if it was not.</summary>
    public long Asked => Volatile.Read(ref _asked);

    /// <summary>Whether another instance added it while this one ran.</summary>
    public bool WasLearnedLater { get; set; }

    /// <summary>Whether it was not in the store before this instance added it.</summary>
    public bool IsNew { get; set; }

    /// <summary>Whether its certificate was left to expire when it was last looked at.</summary>
    public bool WasLeft { get; set; }

    /// <summary>When a client of this instance asked for it last and was not refused, as a timestamp; zero if none did.</summary>
    public long Visited => Volatile.Read(ref _visited);

    /// <summary>Whether it was allowed within a time.</summary>
    public bool IsAllowedWithin(TimeSpan age, TimeProvider time)
        => Volatile.Read(ref _allowed) is not 0 and var at && time.GetElapsedTime(at) < age;

    /// <summary>Notes a visit.</summary>
    public void Visit(long now) => Volatile.Write(ref _visited, now);

    /// <summary>Notes a decision about all that the certificate serves.</summary>
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

    /// <summary>Notes a decision about the name of a client.</summary>
    public void Note(string name, IssuanceDecision decision, long now)
    {
        if (!IsShared)
        {
            Note(decision, now);
            return;
        }

        if (decision.IsAllowed)
        {
            Note(decision, now);
        }

        lock (_gate)
        {
            if (decision.IsAllowed && !_allowedNames.Contains(name))
            {
                _allowedNames = [name, .. _allowedNames.Take(MaxAllowedNames - 1)];
            }
            else if (decision.Denial is not null && _allowedNames.Contains(name))
            {
                _allowedNames = [.. _allowedNames.Where(n => n != name)];
            }
        }
    }

    /// <summary>Notes what this instance stored.</summary>
    public void Stored(OnDemandRecord record) => _record = record;

    /// <summary>
    /// Takes over a record of the store, with what other instances decided since this one last saw it. Otherwise the instances would write
    /// back their own decisions in turn, and after a restart any of them could count.
    /// </summary>
    public void Learn(OnDemandRecord stored, TimeProvider time)
    {
        lock (_gate)
        {
            var seen = _record;
            _record = stored;
            var decidedNow = Asked is not 0 and var asked && time.GetElapsedTime(asked) < OwnDecision;
            if (stored.DeniedAt is not null && seen.DeniedAt is null)
            {
                // The next client is asked about again, and so is the next order.
                _isDenied = true;
                Volatile.Write(ref _allowed, 0);
            }
            else if (stored.DeniedAt is null && seen.DeniedAt is not null && !decidedNow)
            {
                _isDenied = false;
            }

            var (before, after) = (seen.AllowedNames ?? [], stored.AllowedNames ?? []);
            if (IsShared && !before.SequenceEqual(after))
            {
                var mine = _allowedNames;
                _allowedNames =
                [
                    .. after.Where(n => !before.Contains(n) && !mine.Contains(n))
                        .Concat(mine.Where(n => decidedNow || after.Contains(n) || !before.Contains(n)))
                        .Take(MaxAllowedNames),
                ];
            }
        }
    }

    /// <summary>Keeps what is known about the name under its earlier settings.</summary>
    public void Continue(OnDemandName earlier)
    {
        Volatile.Write(ref _visited, earlier.Visited);
        _isDenied = (earlier.Record.DeniedAt is null) == (_record.DeniedAt is null) ? earlier.IsDenied : _record.DeniedAt is not null;
        (IsNew, WasLeft) = (earlier.IsNew, earlier.WasLeft);
        if (earlier.IsShared && IsShared)
        {
            _allowedNames = earlier.AllowedNames;
        }
    }

    /// <summary>Returns a stored record with what this instance knows about its clients.</summary>
    public OnDemandRecord NotedIn(OnDemandRecord stored, DateTimeOffset? visit, DateTimeOffset now) => stored with
    {
        LastAsked = visit > stored.LastAsked ? visit.Value : stored.LastAsked,
        Quiet = visit > stored.LastAsked ? null : stored.Quiet,
        AllowedNames = IsShared ? _allowedNames : null,
        DeniedAt = _isDenied ? stored.DeniedAt ?? now : null,
    };

    /// <summary>Whether the record has the last decisions.</summary>
    public bool IsNoted
        => _isDenied == (_record.DeniedAt is not null) && (!IsShared || HasSameNames(_allowedNames, _record.AllowedNames ?? []));

    // The instances need not agree on their order.
    private static bool HasSameNames(IReadOnlyList<string> one, IReadOnlyList<string> other)
        => one.Count == other.Count && one.All(other.Contains);
}
