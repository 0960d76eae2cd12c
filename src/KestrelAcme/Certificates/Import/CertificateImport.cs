using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// Takes over certificates and accounts of other ACME clients at start, after the store was read and before anything is ordered. What is in
/// the store wins over what is older. The other client's folder is only read.
/// </summary>
internal sealed class CertificateImport(
    CertificateCatalog catalog,
    ImportCommitter committer,
    CertificateAgenda agenda,
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateImport> logger)
{
    private const int MostAtOnce = 8;
    private const int MaxReported = 16;

    // So many new orders are no burden for the limits of any CA, but they come from a new account.
    private const int Few = 5;

    private static readonly TimeSpan HoldOfFew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan HoldOfMany = TimeSpan.FromHours(1);

    private readonly HashSet<ImportProblem> _reported = [];
    private readonly HashSet<string> _untrusted = new(StringComparer.Ordinal);

    /// <summary>
    /// Holds orders for new certificates until <see cref="RunAsync"/> has ended: the engine does not wait long for a store that is slow.
    /// </summary>
    public void HoldOrders() => issuance.NewOrdersHeldUntil = time.GetUtcNow() + HoldOfMany;

    /// <summary>
    /// Imports, within a bounded time. Never fails. If a folder cannot be read, which is most often a matter of permissions, names may lack
    /// the certificates and the account that are there: they are not ordered for a while, and the folder is tried again meanwhile. The same
    /// is done if many are missing and a folder has nothing of use, or if the store does not say which certificates are revoked.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var isDone = await TryImportAsync(settings.LoadTime, stopping);
        var now = time.GetUtcNow();
        var missing = isDone ? 0 : Missing(now).Count();
        if (missing == 0)
        {
            ReleaseOrders();
            return;
        }

        var until = now + (missing > Few ? HoldOfMany : HoldOfFew);
        issuance.NewOrdersHeldUntil = until;
        if (configuration.Current.Issuance == IssuanceMode.Automatic)
        {
            logger.OrdersHeldForImport(missing, until);
        }

        _ = RetryAsync(until, stopping);
    }

    private void ReleaseOrders()
    {
        issuance.NewOrdersHeldUntil = null;
        agenda.PlanAll();
    }

    private async Task RetryAsync(DateTimeOffset until, CancellationToken stopping)
    {
        try
        {
            // Nothing waits for it any more, so a folder may be as slow, or as large, as the hold is long.
            TimeSpan rest;
            do
            {
                await Task.Delay(settings.ImportAgain, time, stopping);
                rest = until - time.GetUtcNow();
            }
            while (!await TryImportAsync(rest > settings.LoadTime ? rest : settings.LoadTime, stopping) && time.GetUtcNow() < until);
            ReleaseOrders();
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // Certificates on demand wait for somebody who allows them.
    private IEnumerable<ManagedCertificate> Missing(DateTimeOffset now)
        => catalog.All.Where(c => !c.Specification.IsOnDemand && !ImportPolicy.HasUsable(c, now));

    /// <returns>Whether nothing is left that a later attempt may bring.</returns>
    private async Task<bool> TryImportAsync(TimeSpan longest, CancellationToken stopping)
    {
        using var limit = new TimeLimit(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            // A folder on a network may hang, and a call to the file system cannot be canceled.
            return await Task.Run(() => ImportAsync(either.Token), CancellationToken.None).WaitOrAbandonAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
            {
                logger.ImportSkipped(
                    "ImportFrom", $"its folders could not be read within {longest.TotalSeconds:0.#} seconds",
                    "Find out why they are slow, or copy them to a local disk");
            }
        }
        catch (Exception exception)
        {
            logger.ImportFailed(exception);
        }

        return false;
    }

    private async Task<bool> ImportAsync(CancellationToken cancellationToken)
    {
        var current = configuration.Current;
        var covering = ImportPolicy.Covering(catalog.All);
        var scans = current.ImportFrom.Select(import => ImportFormats.Read(import, current.Authorities, covering)).ToList();
        cancellationToken.ThrowIfCancellationRequested();
        if (current.Issuance == IssuanceMode.Automatic)
        {
            await committer.ImportAccountsAsync(current.Authorities, [.. scans.SelectMany(s => s.Accounts)], cancellationToken);
        }

        List<ImportedCertificate> all = [.. scans.SelectMany(s => s.Certificates)];
        var known = await AskStoreAsync(all, cancellationToken);
        var found = known is null ? [] : all.FindAll(f => !known.Revoked.Contains(f.Snapshot.SerialNumber));
        var isComplete = known is { Unread.Count: 0 };
        var authority = current.Authorities is [var first, ..] ? first.DirectoryUrl : null;
        var issuers = new IssuerSearch([.. found.SelectMany(f => f.Snapshot.Record.Chain.Skip(1))], authority, time);
        var now = time.GetUtcNow();
        var chosen = catalog.All.Where(c => known?.Unread.Contains(c.Id) == false)
            .Select(c => (Certificate: c, Found: ImportPolicy.Choose(c, found, now))).Where(c => c.Found is not null).ToList();
        await Parallel.ForEachAsync(
            chosen,
            new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = cancellationToken },
            async (c, token) =>
            {
                if (!await committer.ImportAsync(c.Certificate, c.Found!, issuers, token))
                {
                    Volatile.Write(ref isComplete, false);
                }
            });
        var served = chosen.FindAll(c => c.Found!.Snapshot.IsSameAs(c.Certificate.Current))
            .ConvertAll(c => new ImportedCertificate(c.Found!.Path, c.Certificate.Current!));
        served.AddRange(ServeRest(found, known?.Unread));
        ReportUntrusted(served, new ImportTrust(current.Authorities, issuers.Known));
        foreach (var scan in scans.Where(s => s.Certificates.Count + s.Accounts.Count + s.Foreign > 0 || s.Problems.Count == 0))
        {
            logger.ImportRead(
                scan.Import.Path, ImportFormats.NameOf(scan.Import.Kind), scan.Certificates.Count, scan.Accounts.Count, scan.Foreign);
        }

        Report([.. scans.SelectMany(s => s.Problems).Concat(Refused(all, known)).Where(_reported.Add)]);
        return isComplete && !scans.Exists(s => s.IsUnreadable)
            && !(scans.Exists(s => s.IsFruitless) && Missing(now).Skip(Few).Any());
    }

    // A certificate that was revoked, perhaps because its key is known to others, stays in the folder of the other client.
    private async Task<ImportCommitter.StoreKnowledge?> AskStoreAsync(
        List<ImportedCertificate> found, CancellationToken cancellationToken)
    {
        try
        {
            return found.Count == 0 ? new([], []) : await committer.AskStoreAsync(cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            ImportProblem problem = new(
                "ImportFrom", "the store cannot be asked which certificates are revoked",
                "Repair the store: the folders are read again every minute for a while");
            Report(_reported.Add(problem) ? [problem] : []);
            return null;
        }
    }

    // Names without a certificate of their own get what there is, such as one with another type of key, until theirs exists.
    private List<ImportedCertificate> ServeRest(List<ImportedCertificate> found, HashSet<string>? unread)
    {
        var served = new List<ImportedCertificate>();
        var now = time.GetUtcNow();
        var bare = Missing(now).Where(c => !c.IsWithheld && unread?.Contains(c.Id) == false).SelectMany(c => c.Specification.Identifiers)
            .Select(i => i.Value).ToHashSet(StringComparer.Ordinal);
        foreach (var import in found.OrderByDescending(f => f.Snapshot.NotBefore))
        {
            var snapshot = import.Snapshot;
            var names = ImportPolicy.NamesToServe(snapshot, bare);
            if (names.Length > 0 && !snapshot.IsSelfSigned && snapshot.NotBefore <= now && snapshot.NotAfter > now
                && catalog.TryServeRetired($"import-{snapshot.SerialNumber.ToLowerInvariant()}", snapshot, names))
            {
                bare.ExceptWith(names);
                served.Add(import);
                logger.ImportServedMeanwhile(
                    string.Join(", ", names.Take(MaxReported)), snapshot.SerialNumber, import.Path, snapshot.NotAfter);
            }
        }

        return served;
    }

    // Once for each CA. They are served nevertheless: who has such certificates has clients that trust them, or nothing better.
    private void ReportUntrusted(List<ImportedCertificate> served, ImportTrust trust)
    {
        foreach (var import in served)
        {
            if (trust.FindUntrusted(import.Snapshot) is { } issuer && _untrusted.Add(issuer) && _untrusted.Count <= MaxReported)
            {
                logger.ImportUntrusted(issuer, import.Path);
            }
        }
    }

    // For each certificate that is about to be ordered, why the newest one that was found for one of its names is of no use.
    private IEnumerable<ImportProblem> Refused(List<ImportedCertificate> found, ImportCommitter.StoreKnowledge? known)
    {
        var now = time.GetUtcNow();
        return catalog.All.Where(c => !ImportPolicy.HasUsable(c, now))
            .Select(c => ImportPolicy.Explain(c, found, now, known?.Revoked))
            .OfType<ImportProblem>();
    }

    private void Report(List<ImportProblem> problems)
    {
        foreach (var problem in problems.Take(MaxReported))
        {
            logger.ImportSkipped(problem.Path, problem.Reason, problem.Fix);
        }

        if (problems.Count > MaxReported)
        {
            logger.MoreImportsSkipped(problems.Count - MaxReported);
        }
    }
}
