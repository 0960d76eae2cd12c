using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>
/// Holds back orders before they reach a limit of a public CA: by their rate, by the exact set of names, and by failed validations. The
/// certificates of one set of names share their limits and their pending orders, whatever their key algorithms are.
/// </summary>
internal sealed class OrderLimits(CertificateCatalog catalog, NewOrderRateLimiterStore pace, TimeProvider time)
{
    /// <summary>
    /// Takes the permission to order a new set of names from a public CA. Renewals and resumed orders need none. Call it under the lease,
    /// once it is certain that this instance orders.
    /// </summary>
    /// <returns>The time to ask again; <see langword="null"/> if the order may be placed now.</returns>
    public async Task<LaterTurn?> TakeTurnAsync(
        ManagedCertificate certificate, AuthoritySpecification authority, CancellationToken cancellationToken)
        => authority.IsPublic && certificate is { Current: null, State: { Issued: null, StoredOrder: not { OrderUrl: not null } } }
            ? await pace.TakeAsync(cancellationToken)
            : null;

    /// <exception cref="ExactSetLimitException">No more certificates for these names are ordered for now.</exception>
    public void ThrowIfReached(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        if (!authority.IsPublic || certificate.State.StoredOrder?.OrderUrl is not null)
        {
            return;
        }

        var now = time.GetUtcNow();
        var issued = catalog.All.FindSharing(certificate).Where(certificate.HasSameNamesAs).SelectMany(c => c.State.Issued ?? []).ToList();
        if (ExactSetPolicy.NextAllowed(issued, now) is { } next)
        {
            throw new ExactSetLimitException(issued.Count, next, next - now);
        }
    }

    /// <summary>
    /// Checks the failed validations of all certificates that share a name with this one, because CAs count them by name.
    /// </summary>
    /// <exception cref="ValidationLimitException">No more validations may fail for now.</exception>
    public void ThrowIfTooManyFailed(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        if (!authority.IsPublic)
        {
            // The retry schedule limits the attempts. If the application asks for more, no known limit is reached.
            return;
        }

        var now = time.GetUtcNow();
        var failed = catalog.All.FindSharing(certificate).SelectMany(c => c.State.FailedValidations ?? []).ToList();
        if (FailedValidationPolicy.NextAllowed(failed, now) is { } next)
        {
            throw new ValidationLimitException(failed.Count, next, next - now, certificate.Failure?.Message);
        }
    }

    /// <summary>Whether an order is in progress for another certificate of the same names.</summary>
    public bool IsTaken(ManagedCertificate certificate, Uri orderUrl)
        => catalog.All.FindSharing(certificate).Any(
            c => !ReferenceEquals(c, certificate) && c.State.StoredOrder?.OrderUrl == orderUrl && c.HasSameNamesAs(certificate));
}

/// <summary>Stops before the limit of certificates for one exact set of names, which is 5 in 7 days at Let's Encrypt. Pure.</summary>
internal static class ExactSetPolicy
{
    /// <summary>How many certificates for one set of names are obtained in a week.</summary>
    public const int MostInAWeek = 4;

    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <returns>The time of the next order; <see langword="null"/> if it may be placed now.</returns>
    public static DateTimeOffset? NextAllowed(IEnumerable<DateTimeOffset> issued, DateTimeOffset now)
    {
        var recent = issued.Where(i => i > now - Week && i <= now).Order().ToList();
        return recent.Count < MostInAWeek ? null : recent[^MostInAWeek] + Week;
    }

    /// <summary>Returns the times that still count, with one more.</summary>
    public static DateTimeOffset[] Add(IReadOnlyList<DateTimeOffset>? issued, DateTimeOffset now)
        => [.. (issued ?? []).Where(i => i > now - Week).TakeLast(MostInAWeek * 2), now];
}
