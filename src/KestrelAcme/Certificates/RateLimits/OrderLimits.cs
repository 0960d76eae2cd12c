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

    /// <param name="certificate">The certificate.</param>
    /// <param name="authority">The CA.</param>
    /// <param name="isNew">Whether an order is about to be placed. Otherwise, one that was left behind is finished if there is one.</param>
    /// <exception cref="ExactSetLimitException">No more certificates for these names are ordered for now.</exception>
    public void ThrowIfReached(ManagedCertificate certificate, AuthoritySpecification authority, bool isNew = false)
    {
        if (!authority.IsPublic || (!isNew && certificate.State.StoredOrder?.OrderUrl is not null))
        {
            return;
        }

        var now = time.GetUtcNow();
        var issued = catalog.All.FindSharing(certificate).Where(certificate.HasSameNamesAs)
            .SelectMany(c => ExactSetPolicy.Of(c.State, authority.DirectoryUrl)).ToList();
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

    /// <summary>Returns the times at which certificates of a CA were obtained, or of one that was not written down.</summary>
    public static IEnumerable<DateTimeOffset> Of(CertificateStateRecord state, Uri authority)
        => (state.Issued ?? []).Where((_, i) => state.IssuerAt(i) is var by && (by.Length == 0 || by == authority.OriginalString));

    /// <summary>Notes that a certificate was obtained. What no longer counts is forgotten.</summary>
    /// <param name="state">The state.</param>
    /// <param name="now">When it was obtained.</param>
    /// <param name="authority">The directory of the CA; <see langword="null"/> if it is not known.</param>
    public static CertificateStateRecord Add(CertificateStateRecord state, DateTimeOffset now, Uri? authority)
    {
        var issued = (state.Issued ?? []).Select((at, i) => (At: at, By: state.IssuerAt(i)))
            .Where(i => i.At > now - Week).TakeLast(MostInAWeek * 2)
            .Append((At: now, By: authority?.OriginalString ?? "")).ToList();
        return state with { Issued = [.. issued.Select(i => i.At)], IssuedBy = [.. issued.Select(i => i.By)] };
    }
}
