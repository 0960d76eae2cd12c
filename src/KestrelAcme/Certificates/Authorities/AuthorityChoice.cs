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

/// <summary>
/// Chooses the CA of the next order: the first one, unless it refuses the account, failed too often through its own fault, or waiting for
/// it would take too much of the lifetime. Pure.
/// </summary>
internal static class FailoverPolicy
{
    /// <summary>The number of failures of a CA after which an order goes to the next.</summary>
    public const int DefaultFailures = 3;

    // Without a certificate, nothing is served: a failing CA is tried that often, and a CA that asks for a longer wait is skipped.
    private static readonly TimeSpan LongestWaitForTheFirst = TimeSpan.FromMinutes(15);

    public static int Choose(IReadOnlyList<AuthorityCandidate> authorities, CertificateFacts? certificate, DateTimeOffset now)
    {
        for (var i = 0; i < authorities.Count; i++)
        {
            if (!authorities[i].IsBlocked && authorities[i].Failures < DefaultFailures && !CostsTooMuch(authorities[i], certificate, now))
            {
                return i;
            }
        }

        // All CAs fail. Take one that may be asked, with the fewest failures, the first of equals.
        return Enumerable.Range(0, authorities.Count).MinBy(
            i => (authorities[i].IsBlocked, authorities[i].OpenUntil > now, authorities[i].Failures));
    }

    private static bool CostsTooMuch(AuthorityCandidate authority, CertificateFacts? certificate, DateTimeOffset now)
        => authority.OpenUntil > now
            && authority.OpenUntil > (
                certificate is null ? now + LongestWaitForTheFirst : certificate.NotAfter - (certificate.Lifetime / 4));
}

/// <summary>A CA that could be used for an order.</summary>
/// <param name="Id">The ID of the CA.</param>
/// <param name="Failures">How often in a row this certificate failed through the CA's fault.</param>
/// <param name="OpenUntil">The time until which the CA is left alone.</param>
internal sealed record AuthorityCandidate(string Id, int Failures, DateTimeOffset OpenUntil)
{
    /// <summary>Whether the CA refuses the account or the profile, whatever the names are.</summary>
    public bool IsBlocked { get; init; }
}
