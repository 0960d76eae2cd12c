using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>A downloaded chain, its key, and its response.</summary>
internal sealed record TestCertificate(X509Certificate2Collection Chain, ECDsa Key, TestResponse Download)
{
    public X509Certificate2 Leaf => Chain[0];
}
