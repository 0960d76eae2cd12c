using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Chooses the CA of the next order, and finds the CA that issued the current certificate.</summary>
internal sealed class AuthorityChoice(AuthorityRegistry authorities)
{
    public CertificateAuthority ForOrder(ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now)
        => ForOrder(certificate, certificate.State, snapshot, now, probes: true);

    /// <summary>Returns the CA of the next order for a given state.</summary>
    public CertificateAuthority ForOrder(
        ManagedCertificate certificate, CertificateStateRecord state, ConfigurationSnapshot snapshot, DateTimeOffset now,
        bool probes = false)
    {
        var only = certificate.Specification.AuthorityId;
        var all = snapshot.Authorities.Where(a => only is null || a.Id == only).Select(authorities.Get).ToList();
        if (all.Count == 0)
        {
            // The only one is no longer configured.
            all = [.. snapshot.Authorities.Select(authorities.Get)];
        }

        all.ForEach(a => a.Client.GiveUpSoon(all.Count > 1));
        var candidates = all.ConvertAll(a => new AuthorityCandidate(
            a.Specification.Id, Failures(a, state, now, probes && all.Count > 1), RetryAfter(a, certificate, state, now) ?? default)
        {
            IsBlocked = Blocked(a, certificate) is not null,
        });
        var facts = certificate.Current?.Facts(certificate.Specification, renewalInfoOffered: false);
        return all[FailoverPolicy.Choose(candidates, facts, now)];
    }

    public CertificateAuthority Get(AuthoritySpecification specification) => authorities.Get(specification);

    /// <summary>Returns the block that keeps a certificate from being ordered now, because the CA refuses its account or profile.</summary>
    public static AccountBlock? Blocked(CertificateAuthority authority, ManagedCertificate certificate)
        => authority.Blocks.Active(ProfileOf(certificate.Specification, authority.Specification));

    /// <summary>Returns the profile that a certificate is ordered with.</summary>
    public static string? ProfileOf(CertificateSpecification certificate, AuthoritySpecification authority)
        => certificate.Profile ?? authority.Profile;

    // What other certificates found out need not be found out again.
    private static int Failures(CertificateAuthority authority, CertificateStateRecord state, DateTimeOffset now, bool probes)
    {
        var own = state.AuthorityFailures?.GetValueOrDefault(authority.Specification.Id) ?? 0;
        return own < FailoverPolicy.DefaultFailures && authority.Health.IsDown(now, hasFailed: own > 0, probes)
            ? FailoverPolicy.DefaultFailures
            : own;
    }

    /// <summary>
    /// Returns the time until which a CA is not asked for anything, or not for these names; <see langword="null"/> if it may be asked.
    /// </summary>
    public static DateTimeOffset? RetryAfter(
        CertificateAuthority authority, ManagedCertificate certificate, CertificateStateRecord state, DateTimeOffset now)
    {
        var open = authority.Health.OpenUntil(now);
        if (certificate.Current is null && authority.Health.NewNamesHeldUntil(now) is { } probe && !(open > probe))
        {
            // A renewal is never held back by a guess.
            open = probe;
        }

        return state.HeldUntil?.TryGetValue(authority.Specification.Id, out var held) == true
            && ClockGuard.IsPlausibleWait(held, now) && !(open > held)
            ? held
            : open;
    }

    /// <summary>
    /// Returns the CA that issued the current certificate, if it is still configured. Only that CA can say when to renew.
    /// </summary>
    public CertificateAuthority? Issuer(ManagedCertificate certificate, ConfigurationSnapshot snapshot)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var specification = snapshot.Authorities.FirstOrDefault(a => a.DirectoryUrl == issuer);
        return specification is null ? null : authorities.Get(specification);
    }
}
