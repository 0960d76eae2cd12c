using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Makes ACME clients.</summary>
internal sealed class AcmeAuthorityClientFactory(IssuanceSettings settings, TimeProvider time) : IAuthorityClientFactory
{
    private static readonly ProductInfoHeaderValue Product = new(
        "KestrelAcme", typeof(AcmeAuthorityClientFactory).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    private readonly RequestPaces _paces = new(time);

    public IAuthorityClient Create(AuthoritySpecification specification)
    {
        var client = new AcmeClient(specification.DirectoryUrl, new AcmeClientOptions
        {
            TimeProvider = time,
            TrustedRoots = ReadRoots(specification.TrustedRootsPath),
            UserAgentProduct = Product,
            Retry = settings.RequestRetries,
            RequestTimeout = settings.RequestTimeout,
            RequestPace = _paces.For(specification.DirectoryUrl),
        });
        return new AcmeAuthorityClient(specification, client, settings.Polling);
    }

    private static X509Certificate2Collection? ReadRoots(string? path)
    {
        if (path is null)
        {
            return null;
        }

        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(path);
        return roots;
    }
}
