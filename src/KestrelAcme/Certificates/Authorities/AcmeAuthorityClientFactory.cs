using System.Net.Http.Headers;
using System.Reflection;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Makes ACME clients.</summary>
internal sealed class AcmeAuthorityClientFactory(IssuanceSettings settings, TimeProvider time,
    ILogger<AcmeAuthorityClientFactory> logger) : IAuthorityClientFactory
{
    private static readonly ProductInfoHeaderValue Product = new(
        "KestrelAcme", typeof(AcmeAuthorityClientFactory).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    private readonly RequestPaces _paces = new(time);

    public IAuthorityClient Create(AuthoritySpecification specification)
    {
        var client = new AcmeClient(specification.DirectoryUrl, new AcmeClientOptions
        {
            TimeProvider = time,
            TrustedRootsSource = specification.TrustedRootsPath is { } path ? new TrustedRootsFile(path, logger).Read : null,
            UserAgentProduct = Product,
            Retry = settings.RequestRetries,
            RequestTimeout = settings.RequestTimeout,
            RequestPace = _paces.For(specification.DirectoryUrl),
        });
        return new AcmeAuthorityClient(specification, client, settings.Polling);
    }
}
