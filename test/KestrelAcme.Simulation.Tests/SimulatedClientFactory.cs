using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Makes clients of the model.</summary>
internal sealed class SimulatedClientFactory(SimulatedAuthority authority, Lifeline life) : IAuthorityClientFactory
{
    public IAuthorityClient Create(AuthoritySpecification specification) => new SimulatedAuthorityClient(specification, authority, life);
}
