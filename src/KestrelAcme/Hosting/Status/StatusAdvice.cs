using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Hosting.Status;

/// <summary>Decides how urgent a certificate is, and says what its state means for clients and what to do. Pure.</summary>
internal static class StatusAdvice
{
    /// <summary>About a name on demand that is not renewed any more.</summary>
    public const string LeftToExpire = "It is not renewed, because its name is not allowed any more or nobody has come for it for long. "
        + "It is forgotten some weeks later, with its files.";

    /// <summary>Returns the rank of a certificate: what comes first is lower.</summary>
    public static int Rank(CertificateProblems problems, CertificateState state)
        => problems.HasFlag(CertificateProblems.Expired) ? 0
            : problems.HasFlag(CertificateProblems.Missing) ? 1
            : problems.HasFlag(CertificateProblems.Overdue) ? 2
            : problems.HasFlag(CertificateProblems.Blocked) ? 3
            : state == CertificateState.Waiting ? 4
            : IsInProgress(state) ? 5
            : state == CertificateState.RenewalDue ? 6
            : 7;

    /// <summary>Whether a certificate is being ordered.</summary>
    public static bool IsInProgress(CertificateState state) => state is CertificateState.Ordering or CertificateState.Renewing;

    /// <summary>Returns the state in words.</summary>
    public static string Words(CertificateState state) => state switch
    {
        CertificateState.Missing => "No certificate yet",
        CertificateState.RenewalDue => "Renewal due",
        CertificateState.Waiting => "Waiting to retry",
        _ => state.ToString(),
    };

    /// <summary>Returns the common name of an issuer, after its organization if both are short; all of its name if it has none.</summary>
    public static string ShortIssuer(string issuer)
    {
        string? Part(string name) => Array.Find(issuer.Split(", "), p => p.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
        return Part("CN=") is not { } common ? issuer
            : Part("O=") is { } organization && organization.Length + common.Length < 30 ? $"{organization} {common}"
            : common;
    }

    /// <summary>Says what it means and what to do.</summary>
    /// <param name="problems">What is wrong.</param>
    /// <param name="status">The status of the certificate.</param>
    /// <param name="orders">Whether this instance orders.</param>
    /// <returns><see langword="null"/> if there is nothing to say.</returns>
    public static string? For(CertificateProblems problems, CertificateStatus status, bool orders)
    {
        if (status.State == CertificateState.Abandoned)
        {
            return "It expired long ago, and its names no longer lead to this app. Remove the names, or let them lead here again.";
        }

        return problems == CertificateProblems.None && status.Failure is null ? null : $"{Meaning(problems)} {Task(status, orders)}";
    }

    private static string Meaning(CertificateProblems problems)
        => problems.HasFlag(CertificateProblems.Expired) ? "Clients get an expired certificate and refuse it."
            : problems.HasFlag(CertificateProblems.Missing) ? "Clients of these names get no certificate that they trust."
            : "Clients are not affected: the current certificate is still served.";

    private static string Task(CertificateStatus status, bool orders)
    {
        if (!orders)
        {
            return "This instance orders nothing: read the notice at the top, or look at the instance that orders.";
        }

        if (IsInProgress(status.State))
        {
            return "An order is in progress.";
        }

        if (status.Failure is not { } failure)
        {
            return "An order is due and begins by itself. If it does not within a few minutes, read the log of the category KestrelAcme.";
        }

        var next = string.Create(CultureInfo.InvariantCulture, $"the next attempt is at {failure.NextAttempt:u}.");
        return failure.RequiredRecords.Count > 0 ? $"Create the DNS records below. KestrelAcme watches DNS; otherwise {next}"
            : failure.Cause switch
            {
                FailureCause.Authority => $"The CA failed, so there is nothing to fix here: {next}",
                FailureCause.Local => $"Check this machine: its store, clock and network. By itself, {next}",
                _ => $"Fix the reason below, then choose Renew. Otherwise {next}",
            };
    }
}
