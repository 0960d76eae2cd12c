using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;

namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>Makes real ACME clients, by the settings of production.</summary>
internal sealed class HttpClients(HttpMessageHandler network, TimeProvider time, Func<double> jitter) : IAuthorityClientFactory
{
    public IAuthorityClient Create(AuthoritySpecification specification)
    {
        var settings = new IssuanceSettings();
        var options = new AcmeClientOptions
        {
            TimeProvider = time,
            HttpMessageHandler = network,
            Retry = settings.RequestRetries,
            RequestTimeout = settings.RequestTimeout,
            Jitter = jitter,
        };
        return new AcmeAuthorityClient(specification, new AcmeClient(specification.DirectoryUrl, options), settings.Polling);
    }
}
