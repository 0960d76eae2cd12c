using System.Globalization;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Hosting.Status;

/// <summary>Puts a page of the status together, from memory.</summary>
internal sealed class StatusReader(
    CertificateOverview overview,
    CertificateEngine engine,
    BoundedStorage storage,
    EndpointReport endpoints,
    ConfigurationSource configuration,
    TimeProvider time)
{
    /// <summary>Certificates on a page. A page stays small even if each of them shows a long failure.</summary>
    public const int PageSize = 25;

    private const int MostNames = 5;

    /// <summary>Reads a page.</summary>
    /// <param name="search">A part of a name; <see langword="null"/> for all certificates.</param>
    /// <param name="page">The page, from 1. One that does not exist is the nearest that does.</param>
    public StatusReport Read(string? search, int page)
    {
        var found = overview.Look().Where(c => search is null || IsNamed(c.Certificate, search)).ToList();
        found.Sort(Compare);
        var pages = Math.Max(1, (found.Count + PageSize - 1) / PageSize);
        var shown = Math.Clamp(page, 1, pages);
        var now = time.GetUtcNow();
        return new StatusReport
        {
            At = now,
            Total = found.Count,
            NeedAttention = found.Count(c => c.Problems != CertificateProblems.None),
            Page = shown,
            Pages = pages,
            Notices = [.. Notices()],
            Certificates = [.. found.Skip((shown - 1) * PageSize).Take(PageSize).Select(c => Row(c, now))],
        };
    }

    private static int Compare(CertificateCondition one, CertificateCondition other)
    {
        var (oneIsFine, otherIsFine) = (one.Problems == CertificateProblems.None, other.Problems == CertificateProblems.None);
        return oneIsFine != otherIsFine ? oneIsFine.CompareTo(otherIsFine)
            : string.CompareOrdinal(one.Certificate.Id, other.Certificate.Id);
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

        if (storage.Monitor.Fault is { } fault)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"The store is unavailable since {fault.Since:u}: {fault.Reason}");
        }
    }

    private static StatusRow Row(CertificateCondition condition, DateTimeOffset now)
    {
        var certificate = condition.Certificate;
        var status = CertificateStatuses.Create(certificate, orders: condition.Renewal is not null, now);
        var window = certificate.State.RenewalInfo is { } info && info.SerialNumber == status.SerialNumber ? info : null;
        return new StatusRow
        {
            Id = status.Id,
            Names = [.. status.DomainNames.Take(MostNames), .. More(status.DomainNames.Count)],
            State = status.State,
            Problem = CertificateHealthPolicy.Describe(condition.Problems) is { Length: > 0 } problem ? problem : null,
            Failure = status.Failure is { } failure ? QuotedText.Words(failure.Message, QuotedText.MaxReplyLength) : null,
            FailedAt = status.Failure?.At,
            NotBefore = status.NotBefore,
            NotAfter = status.NotAfter,
            WindowStart = window?.WindowStart,
            WindowEnd = window?.WindowEnd,
            NextOrder = status.NextOrder,
            Authority = status.DirectoryUrl?.OriginalString,
            Account = status.AccountUrl?.OriginalString,
            Issuer = status.Issuer,
            SerialNumber = status.SerialNumber,
        };
    }

    private static IEnumerable<string> More(int count) => count > MostNames ? [$"and {count - MostNames} more"] : [];
}
