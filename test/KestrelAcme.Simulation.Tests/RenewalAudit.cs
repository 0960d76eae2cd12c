namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Judges, after a simulation, whether every certificate was replaced when it had to be. Pure. A certificate is due at the end of the
/// window that the authority advises, and in any case when a sixth of its lifetime is left (a quarter under ten days). The rules, each from
/// the moment at which something can be known: due: replaced within 2 h; advice changed: within 7 h, but not before it says so; revoked on
/// the list alone: within 25 h; lapsed: never, if the authority was up in the last third of the lifetime.
/// </summary>
/// <remarks>
/// The exceptions, and there are no others. While the authority is in trouble, or the machine's clock is more than an hour off (then
/// nothing may be ordered), nothing can be replaced: whatever falls due meanwhile has two hours without a hindrance after that. A
/// certificate may lapse where the last third of its lifetime held no such two hours after the time to which the authority itself put the
/// renewal off; those lapses are counted by what there was instead.
/// </remarks>
internal sealed class RenewalAudit(Weather weather, DateTimeOffset end)
{
    private static readonly TimeSpan AfterRecovery = TimeSpan.FromHours(2);
    private static readonly TimeSpan AfterAdvice = TimeSpan.FromHours(7);
    private static readonly TimeSpan AfterListing = TimeSpan.FromHours(25);

    private readonly List<string> _violations = [];
    private int _lapsedInOutages;
    private int _lapsedAfterAdvice;
    private int _lapsedBetweenOutages;
    private int _judged;
    private int _revoked;
    private int _listed;
    private TimeSpan _longestListed;
    private TimeSpan _longestAdvised;

    /// <summary>Which rule was broken, by which certificate.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>How many certificates there would have been, had each been replaced at the middle of what was advised.</summary>
    public double Ideal { get; private set; }

    public void Judge(IEnumerable<SimulatedCertificate> certificates)
    {
        foreach (var certificate in certificates)
        {
            Judge(certificate);
        }
    }

    public override string ToString() => string.Join('\n', (string[])
    [
        $"{_judged} judged, {_violations.Count} violations",
        $"lapsed: {_lapsedInOutages} in a hindrance of the whole last third, {_lapsedAfterAdvice} with time only before the advised one, "
            + $"{_lapsedBetweenOutages} with less than two hours after it",
        $"the longest unhindered time to replace {_revoked} that were revoked with advice is {_longestAdvised}, "
            + $"{_listed} that were only listed {_longestListed}",
        .. _violations.Take(50),
    ]);

    private void Judge(SimulatedCertificate certificate)
    {
        _judged++;
        var until = certificate.ReplacedAt ?? end;
        foreach (var (rule, latest) in Rules(certificate))
        {
            if (until > latest)
            {
                _violations.Add(
                    $"{rule}: {certificate.Name}, issued {certificate.IssuedAt:u}, to be replaced by {latest:u}, "
                    + $"was {certificate.ReplacedAt?.ToString("u") ?? "never"}");
                break;
            }
        }

        if (until > certificate.NotAfter)
        {
            JudgeLapse(certificate);
        }

        Remember(certificate, until);
        Ideal += Share(certificate, until);
    }

    /// <summary>The last moments at which the certificate had to be replaced.</summary>
    private IEnumerable<(string Rule, DateTimeOffset Latest)> Rules(SimulatedCertificate certificate)
    {
        for (var i = 0; i < certificate.Windows.Count; i++)
        {
            var window = certificate.Windows[i];
            var due = Due(certificate, window);
            var latest = weather.AfterUnhindered(due, AfterRecovery);
            var known = i == 0 ? latest : Within(window.From, AfterAdvice);
            latest = known > latest ? known : latest;

            // Advice that was changed before it had to be followed counts no more.
            if (i + 1 == certificate.Windows.Count || latest < certificate.Windows[i + 1].From)
            {
                yield return (i == 0 ? "due" : "advised", latest);
            }
        }

        if (certificate.ListedAt is { } listed)
        {
            yield return ("listed", Within(listed, AfterListing));
        }
    }

    /// <summary>The end of a time that was granted; where it ends in a hindrance, or right after one, the two hours after that.</summary>
    private DateTimeOffset Within(DateTimeOffset from, TimeSpan granted)
        => weather.AfterUnhindered(from + granted - AfterRecovery, AfterRecovery);

    private void JudgeLapse(SimulatedCertificate certificate)
    {
        var lastThird = certificate.NotAfter - (certificate.Lifetime / 3);
        var due = Due(certificate, certificate.Window) is var advised && advised > lastThird ? advised : lastThird;
        if (IsHindered(lastThird, TimeSpan.Zero))
        {
            _lapsedInOutages++;
        }
        else if (IsHindered(due, TimeSpan.Zero))
        {
            _lapsedAfterAdvice++;
        }
        else if (IsHindered(due, AfterRecovery))
        {
            _lapsedBetweenOutages++;
        }
        else
        {
            _violations.Add(
                $"lapsed: {certificate.Name}, issued {certificate.IssuedAt:u}, expired {certificate.NotAfter:u}, "
                + $"replaced {certificate.ReplacedAt?.ToString("u") ?? "never"}");
        }

        bool IsHindered(DateTimeOffset from, TimeSpan span) => weather.AfterUnhindered(from, span) >= certificate.NotAfter;
    }

    private static DateTimeOffset Due(SimulatedCertificate certificate, AdvisedWindow window)
        => window.End < certificate.Deadline ? window.End : certificate.Deadline;

    private void Remember(SimulatedCertificate certificate, DateTimeOffset until)
    {
        if (certificate is not { ListedAt: { } listed, ReplacedAt: not null } || weather.AfterUnhindered(listed, until - listed) != until)
        {
            // Never replaced, or hindered.
            return;
        }

        if (certificate.Window.From == listed)
        {
            _revoked++;
            _longestAdvised = until - listed > _longestAdvised ? until - listed : _longestAdvised;
        }
        else
        {
            _listed++;
            _longestListed = until - listed > _longestListed ? until - listed : _longestListed;
        }
    }

    /// <summary>
    /// How much of the life that was meant for it a certificate has lived; one that could not be replaced in time has lived all of it.
    /// </summary>
    private static double Share(SimulatedCertificate certificate, DateTimeOffset until)
    {
        if (certificate.ReplacedAt is null || certificate.ListedAt <= until)
        {
            return 1;
        }

        var window = certificate.Windows.Last(w => w.From <= until);
        var middle = window.Start + ((window.End - window.Start) / 2);
        var planned = middle < certificate.Deadline ? middle : certificate.Deadline;

        // Advice to renew in the past, or sooner than anybody asks, is followed when it is heard.
        planned = window.From > certificate.IssuedAt && planned < window.From ? until : planned;
        return Math.Min(1, (until - certificate.IssuedAt) / (planned - certificate.IssuedAt));
    }
}
