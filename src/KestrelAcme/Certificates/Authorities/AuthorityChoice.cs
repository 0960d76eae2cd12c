using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Finds the authority of the next order, and the one that issued what is served.</summary>
internal sealed class AuthorityChoice(AuthorityRegistry authorities)
{
    public Authority ForOrder(ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now)
    {
        var all = snapshot.Authorities.Select(authorities.Get).ToList();
        var failures = certificate.State.AuthorityFailures;
        var candidates = all.ConvertAll(a => new AuthorityCandidate(
            a.Specification.Id, failures?.GetValueOrDefault(a.Specification.Id) ?? 0, a.Health.OpenUntil(now) ?? default));
        return all[FailoverPolicy.Choose(candidates, certificate.Current?.Facts(certificate.Specification, renewalInfoOffered: false), now)];
    }

    /// <summary>The authority that issued what is served, if we still know it: only it can say when to renew.</summary>
    public Authority? Issuer(ManagedCertificate certificate, ConfigurationSnapshot snapshot)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var specification = snapshot.Authorities.FirstOrDefault(a => a.DirectoryUrl == issuer);
        return specification is null ? null : authorities.Get(specification);
    }
}
