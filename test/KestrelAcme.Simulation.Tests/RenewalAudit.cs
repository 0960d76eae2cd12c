namespace KestrelAcme.Simulation.Tests;

/// <summary>Judges, after a simulation, whether every certificate was replaced when it had to be. Pure.</summary>
internal sealed class RenewalAudit(Weather weather, DateTimeOffset end)
{
    private static readonly TimeSpan AfterRecovery = TimeSpan.FromHours(2);

    // On top of the time that the authority lets pass between two questions: six hours, or a day for long-lived certificates.
    private static readonly TimeSpan AfterAdvice = TimeSpan.FromHours(1);
    private static readonly TimeSpan AfterListing = TimeSpan.FromHours(25);

    public List<string> Late { get; } = [];

    public List<string> Lapsed { get; } = [];

    public List<string> NotReplaced { get; } = [];

    /// <summary>How many certificates there would have been, had each been replaced at the middle of what was advised.</summary>
    public double Ideal { get; private set; }

    public void Judge(IEnumerable<SimulatedCertificate> certificates)
    {
        foreach (var certificate in certificates)
        {
            Judge(certificate);
        }
    }

    private void Judge(SimulatedCertificate certificate)
    {
        var until = certificate.ReplacedAt ?? end;
        var (due, moved) = LatestReplacement(certificate);
        if (until > due)
        {
            (moved ? NotReplaced : Late).Add($"{certificate.Name}: issued {certificate.IssuedAt:u}, due by {due:u}, replaced {certificate.ReplacedAt?.ToString("u") ?? "never"}");
        }

        if (until > certificate.NotAfter && WasUpInTheLastThird(certificate))
        {
            Lapsed.Add($"{certificate.Name}: expired {certificate.NotAfter:u}, replaced {certificate.ReplacedAt?.ToString("u") ?? "never"}");
        }

        Ideal += Share(certificate, until);
    }

    /// <summary>The last moment at which the certificate had to be replaced, and whether that was because of a revocation or a moved window.</summary>
    private (DateTimeOffset Due, bool Moved) LatestReplacement(SimulatedCertificate certificate)
    {
        var due = (At: DateTimeOffset.MaxValue, Moved: false);
        for (var i = 0; i < certificate.Windows.Count; i++)
        {
            var window = certificate.Windows[i];
            var at = Required(certificate, window, isFirst: i == 0);
            if ((i + 1 == certificate.Windows.Count || at < certificate.Windows[i + 1].From) && at < due.At)
            {
                due = (at, i > 0);
            }
        }

        if (certificate.ListedAt is { } listed && weather.AfterUnhindered(listed, AfterListing) is var latest && latest < due.At)
        {
            due = (latest, true);
        }

        return due;
    }

    private DateTimeOffset Required(SimulatedCertificate certificate, AdvisedWindow window, bool isFirst)
    {
        var end = window.End < certificate.Deadline ? window.End : certificate.Deadline;
        var at = weather.AfterUnhindered(end, AfterRecovery);
        var known = weather.AfterUnhindered(window.From, certificate.AskAgainAfter + AfterAdvice);
        return isFirst || known < at ? at : known;
    }

    // Advice may lie in the last third: a client that follows it is not yet due at its beginning.
    private bool WasUpInTheLastThird(SimulatedCertificate certificate)
    {
        var lastThird = certificate.NotAfter - (certificate.Lifetime / 3);
        var due = certificate.Window.End < certificate.Deadline ? certificate.Window.End : certificate.Deadline;
        return weather.AfterUnhindered(due > lastThird ? due : lastThird, AfterRecovery) < certificate.NotAfter;
    }

    /// <summary>How much of the life that was meant for it a certificate has lived; one that could not be replaced in time has lived all of it.</summary>
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
