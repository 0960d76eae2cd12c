using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Finds the authority of the next order, and the one that issued what is served.</summary>
internal sealed class AuthorityChoice(AuthorityRegistry authorities)
{
    public CertificateAuthority ForOrder(ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now)
        => ForOrder(certificate, certificate.State, snapshot, now, probes: true);

    /// <summary>The authority of the next order, should the state be this one.</summary>
    public CertificateAuthority ForOrder(ManagedCertificate certificate, CertificateStateRecord state, ConfigurationSnapshot snapshot, DateTimeOffset now, bool probes = false)
    {
        var all = snapshot.Authorities.Select(authorities.Get).ToList();
        all.ForEach(a => a.Client.GiveUpSoon(all.Count > 1));
        var candidates = all.ConvertAll(a => new AuthorityCandidate(
            a.Specification.Id, Failures(a, state, now, probes && all.Count > 1), RetryAfter(a, certificate, state, now) ?? default)
        {
            IsBlocked = Blocked(a, certificate) is not null,
        });
        return all[FailoverPolicy.Choose(candidates, certificate.Current?.Facts(certificate.Specification, renewalInfoOffered: false), now)];
    }

    public CertificateAuthority Get(AuthoritySpecification specification) => authorities.Get(specification);

    /// <summary>What keeps orders for a certificate from an authority now: its account, or the profile, is refused.</summary>
    public static AccountBlock? Blocked(CertificateAuthority authority, ManagedCertificate certificate)
        => authority.Blocks.Active(ProfileOf(certificate.Specification, authority.Specification));

    /// <summary>The profile that a certificate is ordered with.</summary>
    public static string? ProfileOf(CertificateSpecification certificate, AuthoritySpecification authority) => certificate.Profile ?? authority.Profile;

    // What others found out need not be found out again for each certificate.
    private static int Failures(CertificateAuthority authority, CertificateStateRecord state, DateTimeOffset now, bool probes)
    {
        var own = state.AuthorityFailures?.GetValueOrDefault(authority.Specification.Id) ?? 0;
        return own < FailoverPolicy.DefaultFailures && authority.Health.IsDown(now, hasFailed: own > 0, probes) ? FailoverPolicy.DefaultFailures : own;
    }

    /// <summary>Until when an authority is asked for nothing, or not for these names; <see langword="null"/> when it may be asked.</summary>
    public static DateTimeOffset? RetryAfter(CertificateAuthority authority, ManagedCertificate certificate, CertificateStateRecord state, DateTimeOffset now)
    {
        var open = authority.Health.OpenUntil(now);
        if (certificate.Current is null && authority.Health.NewNamesHeldUntil(now) is { } probe && !(open > probe))
        {
            // A renewal is never held by a guess.
            open = probe;
        }

        return state.HeldUntil?.TryGetValue(authority.Specification.Id, out var held) == true && ClockGuard.IsPlausibleWait(held, now) && !(open > held) ? held : open;
    }

    /// <summary>The authority that issued what is served, if we still know it: only it can say when to renew.</summary>
    public CertificateAuthority? Issuer(ManagedCertificate certificate, ConfigurationSnapshot snapshot)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var specification = snapshot.Authorities.FirstOrDefault(a => a.DirectoryUrl == issuer);
        return specification is null ? null : authorities.Get(specification);
    }
}
