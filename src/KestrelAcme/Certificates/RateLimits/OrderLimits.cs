using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>
/// Holds orders back before a public authority's limits do: by their pace, by the exact set of names, and by failed validations. The
/// certificates of one set of names share their limits and their pending orders, whatever their key algorithms.
/// </summary>
internal sealed class OrderLimits(CertificateCatalog catalog, NewOrderRateLimiterStore pace, TimeProvider time)
{
    /// <summary>
    /// Takes the right to order a new set of names from a public authority. A renewal, or an order that is resumed, needs none. To be asked
    /// under the lease, once it is certain that this instance orders.
    /// </summary>
    /// <returns>When to ask again; <see langword="null"/> if the order may be placed now.</returns>
    public async Task<DateTimeOffset?> TakeTurnAsync(
        ManagedCertificate certificate, AuthoritySpecification authority, CancellationToken cancellationToken)
        => authority.IsPublic && certificate is { Current: null, State: { Issued: null, StoredOrder: not { OrderUrl: not null } } }
            ? await pace.TakeAsync(cancellationToken)
            : null;

    /// <exception cref="ExactSetLimitException">No more are ordered for now.</exception>
    public void ThrowIfReached(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        if (!authority.IsPublic || certificate.State.StoredOrder?.OrderUrl is not null)
        {
            return;
        }

        var now = time.GetUtcNow();
        var issued = catalog.All.Where(certificate.HasSameNamesAs).SelectMany(c => c.State.Issued ?? []).ToList();
        if (ExactSetPolicy.NextAllowed(issued, now) is { } next)
        {
            throw new ExactSetLimitException(issued.Count, next, next - now);
        }
    }

    /// <summary>Counts the failed validations of all certificates that share a name with this one: authorities count by name.</summary>
    /// <exception cref="ValidationLimitException">No more may fail for now.</exception>
    public void ThrowIfTooManyFailed(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        if (!authority.IsPublic)
        {
            // Attempts keep their pace by themselves; a person who asks for more breaks no limit that is known.
            return;
        }

        var now = time.GetUtcNow();
        var failed = catalog.All.Where(c => c.State.FailedValidations is not null && SharesName(c, certificate))
            .SelectMany(c => c.State.FailedValidations!)
            .ToList();
        if (FailedValidationPolicy.NextAllowed(failed, now) is { } next)
        {
            throw new ValidationLimitException(failed.Count, next, next - now, certificate.Failure?.Message);
        }
    }

    /// <summary>Whether an order is under way for another certificate of the same names.</summary>
    public bool IsTaken(ManagedCertificate certificate, Uri orderUrl)
        => catalog.All.Any(c => !ReferenceEquals(c, certificate) && c.State.StoredOrder?.OrderUrl == orderUrl && c.HasSameNamesAs(certificate));

    private static bool SharesName(ManagedCertificate one, ManagedCertificate other)
        => ReferenceEquals(one, other) || one.Specification.Identifiers.Any(i => other.Specification.Identifiers.Any(o => o.BaseValue == i.BaseValue));
}

/// <summary>Stops by ourselves before an authority's limit of certificates for one exact set of names: 5 in 7 days at Let's Encrypt. Pure.</summary>
internal static class ExactSetPolicy
{
    /// <summary>How many certificates for one set of names are obtained in a week.</summary>
    public const int MostInAWeek = 4;

    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <returns>When the next one may be ordered; <see langword="null"/> when it may be now.</returns>
    public static DateTimeOffset? NextAllowed(IEnumerable<DateTimeOffset> issued, DateTimeOffset now)
    {
        var recent = issued.Where(i => i > now - Week && i <= now).Order().ToList();
        return recent.Count < MostInAWeek ? null : recent[^MostInAWeek] + Week;
    }

    /// <summary>The times that are still worth keeping, with one more.</summary>
    public static DateTimeOffset[] Add(IReadOnlyList<DateTimeOffset>? issued, DateTimeOffset now)
        => [.. (issued ?? []).Where(i => i > now - Week).TakeLast(MostInAWeek * 2), now];
}
