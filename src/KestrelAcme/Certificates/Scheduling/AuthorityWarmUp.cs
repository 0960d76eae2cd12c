using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Fetches the directory while Kestrel starts, when a certificate is missing: the first order then finds the connection open and the code compiled. Nothing is ordered or created here.
/// </summary>
internal sealed class AuthorityWarmUp(CertificateCatalog catalog, AuthorityRegistry authorities, ConfigurationSource configuration)
{
    public void Start(CancellationToken stopping)
    {
        var snapshot = configuration.Current;
        if (snapshot is { Issuance: IssuanceMode.Automatic, Authorities.Count: > 0 } && catalog.All.Any(c => c.Current is null))
        {
            _ = Task.Run(() => FetchAsync(snapshot.Authorities[0], stopping), CancellationToken.None);
        }
    }

    private async Task FetchAsync(AuthoritySpecification specification, CancellationToken stopping)
    {
        try
        {
            await authorities.Get(specification).Client.GetDirectoryAsync(stopping);
        }
        catch (Exception)
        {
            // The order asks again, and its failure is reported.
        }
    }
}
