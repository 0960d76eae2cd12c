using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Testing.Servers;

/// <summary>Creates HTTP clients that trust only the given roots.</summary>
public static class TrustingClient
{
    /// <summary>Creates a client that trusts only the roots in <paramref name="rootsPem"/>, without redirects and cookies.</summary>
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
