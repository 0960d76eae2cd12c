using System.Globalization;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting.Status;

/// <summary>Puts a page of the status together, from memory.</summary>
internal sealed class StatusReader(
    CertificateOverview overview,
    CertificateEngine engine,
    BoundedStorage storage,
    EndpointReport endpoints,
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    StatusEvents events,
    TimeProvider time)
{
    /// <summary>Certificates on a page. A page stays small even if each of them shows a long failure.</summary>
    public const int PageSize = 20;

    private const int MostNames = 5;
    private const int MostRecords = 5;

    /// <summary>Reads a page.</summary>
    /// <param name="search">A part of a name; <see langword="null"/> for all certificates.</param>
    /// <param name="page">The page, from 1. One that does not exist is the nearest that does.</param>
    public StatusReport Read(string? search, int page)
    {
        var found = new List<CertificateCondition>();
        var (attention, inProgress, next) = (0, 0, TimeSpan.MaxValue);
        foreach (var condition in overview.Look())
        {
            if (search is null || IsNamed(condition.Certificate, search))
            {
                found.Add(condition);
                attention += condition.Problems == CertificateProblems.None ? 0 : 1;
                inProgress += StatusAdvice.IsInProgress(condition.State) ? 1 : 0;
                next = condition.Renewal is { } renewal && renewal > TimeSpan.Zero && renewal < next ? renewal : next;
            }
        }

        found.Sort(Compare);
        var pages = Math.Max(1, (found.Count + PageSize - 1) / PageSize);
        var shown = Math.Clamp(page, 1, pages);
        var (now, orders, recent) = (time.GetUtcNow(), issuance.ReasonNotToOrder is null, events.Recent());
        return new StatusReport
        {
            At = now,
            Total = found.Count,
            NeedAttention = attention,
            InProgress = inProgress,
            NextOrder = next == TimeSpan.MaxValue ? null : now + next,
            Orders = orders,
            Page = shown,
            Pages = pages,
            Notices = [.. Notices()],
            Certificates = [.. found.Skip((shown - 1) * PageSize).Take(PageSize).Select(c => Row(c, orders, recent, now))],
        };
    }

    private static int Compare(CertificateCondition one, CertificateCondition other)
    {
        var rank = StatusAdvice.Rank(one.Problems, one.State).CompareTo(StatusAdvice.Rank(other.Problems, other.State));
        var expiry = rank != 0 ? rank : (one.Expiry ?? TimeSpan.MinValue).CompareTo(other.Expiry ?? TimeSpan.MinValue);
        return expiry != 0 ? expiry : string.CompareOrdinal(one.Certificate.Id, other.Certificate.Id);
    }

    private static bool IsNamed(ManagedCertificate certificate, string search)
        => certificate.Id.Contains(search, StringComparison.OrdinalIgnoreCase)
            || certificate.Specification.Identifiers.Any(i => i.Value.Contains(search, StringComparison.OrdinalIgnoreCase));

    private IEnumerable<string> Notices()
    {
        if (!configuration.Current.Enabled || !endpoints.KestrelIsUsed)
        {
            yield return "Automatic HTTPS is not in use: AcmeHttps:Enabled is false, or the server is not Kestrel.";
        }

        if (engine.HasFailed)
        {
            yield return "The certificate engine ended because of an unexpected error, and nothing is renewed. Restart the app.";
        }

        if (overview.Obstacle is { } obstacle)
        {
            yield return $"Nothing is ordered. {obstacle}";
        }
        else if (configuration.Current.Enabled && issuance.ReasonNotToOrder is { } reason)
        {
            yield return reason;
        }

        if (storage.Monitor.Fault is { } fault)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"The store is unavailable since {fault.Since:u}: {fault.Reason}");
        }
    }

    private static StatusRow Row(CertificateCondition condition, bool orders, StatusEvent[] recent, DateTimeOffset now)
    {
        var certificate = condition.Certificate;
        var status = CertificateStatuses.Create(certificate, orders, now);
        var window = certificate.State.RenewalInfo is { } info && info.SerialNumber == status.SerialNumber ? info : null;
        var records = status.Failure?.RequiredRecords ?? [];
        return new StatusRow
        {
            Id = status.Id,
            Names = [.. status.DomainNames.Take(MostNames), .. More(status.DomainNames.Count, MostNames)],
            State = status.State,
            Problem = CertificateHealthPolicy.Describe(condition.Problems) is { Length: > 0 } problem ? problem : null,
            Advice = certificate.IsLeftToExpire(now) ? StatusAdvice.LeftToExpire
                : StatusAdvice.For(condition.Problems, status, orders),
            Failure = status.Failure is { } failure ? QuotedText.Words(failure.Message, QuotedText.MaxReplyLength) : null,
            FailedAt = status.Failure?.At,
            RequiredRecords = records.Count == 0 ? null
                : [
                    .. records.Take(MostRecords).Select(r => QuotedText.Words(r.ToString(), QuotedText.MaxReplyLength)),
                    .. More(records.Count, MostRecords),
                ],
            NotBefore = status.NotBefore,
            NotAfter = status.NotAfter,
            WindowStart = window?.WindowStart,
            WindowEnd = window?.WindowEnd,
            NextOrder = status.NextOrder,
            Authority = status.DirectoryUrl?.OriginalString,
            Account = status.AccountUrl?.OriginalString,
            Issuer = status.Issuer,
            SerialNumber = status.SerialNumber,
            Events = [.. recent.Where(e => e.Certificate == status.Id).Take(StatusEvents.MostShown)],
        };
    }

    private static IEnumerable<string> More(int count, int most) => count > most ? [$"and {count - most} more"] : [];
}

/// <summary>Reads the names on demand for the status, from memory.</summary>
internal sealed class StatusDemand(IServiceProvider services, ConfigurationSource configuration)
{
    /// <summary>The most names in each list.</summary>
    public const int MostNames = 20;

    /// <returns><see langword="null"/> if nothing is on demand. None of its services is created then.</returns>
    public StatusOnDemand? Read()
        => configuration.Current is not { Enabled: true, OnDemand: not null } ? null : new StatusOnDemand
        {
            Newest = Newest(services.GetRequiredService<OnDemandNames>().All),
            Refused = Refused(services.GetRequiredService<DeniedNames>().Latest),
        };

    // There may be 100,000 of them.
    private static List<StatusNewName> Newest(IEnumerable<OnDemandName> all)
    {
        var newest = new PriorityQueue<OnDemandName, DateTimeOffset>(MostNames + 1);
        foreach (var name in all)
        {
            newest.Enqueue(name, name.Record.FirstAsked);
            if (newest.Count > MostNames)
            {
                newest.Dequeue();
            }
        }

        var rows = new List<StatusNewName>(newest.Count);
        while (newest.TryDequeue(out var name, out var at))
        {
            rows.Add(new StatusNewName { Name = QuotedText.Of(name.Record.Name, QuotedText.MaxNameLength), FirstAsked = at });
        }

        rows.Reverse();
        return rows;
    }

    // A name that comes again and again is listed once.
    private static IReadOnlyList<StatusRefusedName> Refused(IReadOnlyList<RefusedVisit> latest)
        => [.. latest.DistinctBy(visit => visit.Name).Take(MostNames).Select(visit => new StatusRefusedName
        {
            Name = QuotedText.Of(visit.Name, QuotedText.MaxNameLength),
            At = visit.At,
            Reason = QuotedText.Words(visit.Reason, QuotedText.MaxReplyLength),
        })];
}
