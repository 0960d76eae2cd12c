using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Challenges.Places;

/// <summary>Finds out where names lead.</summary>
internal interface INamePlaces
{
    /// <param name="name">The name.</param>
    /// <param name="provenByDns">Whether the name is proven by records: then it need have no address.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<NamePlace> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken);
}
