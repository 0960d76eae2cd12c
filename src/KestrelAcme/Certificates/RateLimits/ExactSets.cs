using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>Knows what the certificates of one exact set of names have in common, whatever their key algorithms: a limit at public authorities, and pending orders.</summary>
internal sealed class ExactSets(CertificateCatalog catalog, TimeProvider time)
{
    /// <exception cref="ExactSetLimitException">No more are ordered for now.</exception>
    public void ThrowIfReached(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        if (!authority.IsPublic || certificate.State.StoredOrder?.OrderUrl is not null)
        {
            return;
        }

        var now = time.GetUtcNow();
        var issued = catalog.All.Where(c => SameNames(c, certificate)).SelectMany(c => c.State.Issued ?? []).ToList();
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
        var failed = catalog.All.Where(c => c.State.FailedValidations is not null && SharesName(c, certificate)).SelectMany(c => c.State.FailedValidations!).ToList();
        if (FailedValidationPolicy.NextAllowed(failed, now) is { } next)
        {
            throw new ValidationLimitException(failed.Count, next, next - now, certificate.Failure?.Message);
        }
    }

    /// <summary>Whether an order is under way for another certificate of the same names.</summary>
    public bool IsTaken(ManagedCertificate certificate, Uri orderUrl)
        => catalog.All.Any(c => !ReferenceEquals(c, certificate) && c.State.StoredOrder?.OrderUrl == orderUrl && SameNames(c, certificate));

    /// <summary>Whether a certificate of the same names was not read from the store yet: what it has in common with the others is not known.</summary>
    public bool AnyUnread(ManagedCertificate certificate) => catalog.All.Any(c => !c.IsLoaded && SameNames(c, certificate));

    private static bool SharesName(ManagedCertificate one, ManagedCertificate other)
        => ReferenceEquals(one, other) || one.Specification.Identifiers.Any(i => other.Specification.Identifiers.Any(o => o.BaseValue == i.BaseValue));

    private static bool SameNames(ManagedCertificate one, ManagedCertificate other)
        => ReferenceEquals(one, other) || (one.Specification.Identifiers.Count == other.Specification.Identifiers.Count && one.Specification.Identifiers.All(other.Specification.Identifiers.Contains));
}
