using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Testing.Servers;

/// <summary>HTTP clients that trust the given roots and no others.</summary>
public static class TrustingClient
{
    /// <summary>A client that trusts the roots in <paramref name="rootsPem"/> alone, follows no redirect and keeps no cookie.</summary>
    public static HttpClient Create(string rootsPem) => new(CreateHandler(rootsPem)) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>The handler of <see cref="Create"/>.</summary>
    public static SocketsHttpHandler CreateHandler(string rootsPem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(rootsPem);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            SslOptions = { CertificateChainPolicy = policy },
        };
    }
}
