using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Makes clients of authorities; simulations put a model in its place.</summary>
internal interface IAuthorityClientFactory
{
    IAuthorityClient Create(AuthoritySpecification specification);
}
