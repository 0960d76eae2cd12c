using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Samples.Tests;

public sealed class WildcardTests
{
    private const string Record = "_acme-challenge.wildcard.localhost TXT ";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AsAProgram_ServesAnyNameOfItsZoneAndEndsWhenAsked()
    {
        using var folder = new TemporaryFolder();
        await using var sample = WildcardProcess.Start(folder.Path);

        var (root, host, port) = await sample.ServesAsync();

        Assert.Equal((sample.EndPoint.Port, folder.Combine(".kestrel-acme/authority/root.pem")), (port, root));
        using var anchor = X509CertificateLoader.LoadCertificateFromFile(root);
        Assert.Equal(["*.wildcard.localhost"], await NamesServedAsync(sample, host, anchor));
        Assert.Equal(["*.wildcard.localhost"], await NamesServedAsync(sample, $"x-{Guid.NewGuid():N}.wildcard.localhost", anchor));
        await Assert.ThrowsAsync<AuthenticationException>(() => NamesServedAsync(sample, "wildcard.localhost", anchor));
        await Assert.ThrowsAsync<AuthenticationException>(() => NamesServedAsync(sample, host, anchor: null));
        var created = await sample.WroteAsync($"DNS: + {Record}");
        await sample.WroteAsync(created.Replace("DNS: +", "DNS: -", StringComparison.Ordinal));
        Assert.True(await sample.StopAsync() == 0, sample.Output);
    }

    [Fact]
    public async Task Start_ASecondTime_ServesWhatWasStoredWithoutARecord()
    {
        using var folder = new TemporaryFolder();
        await using (var first = WildcardProcess.Start(folder.Path))
        {
            await first.ServesAsync();
            Assert.True(await first.StopAsync() == 0, first.Output);
        }

        await using var second = WildcardProcess.Start(folder.Path);
        var (root, host, _) = await second.ServesAsync();

        using var anchor = X509CertificateLoader.LoadCertificateFromFile(root);
        Assert.Equal(["*.wildcard.localhost"], await NamesServedAsync(second, host, anchor));
        Assert.DoesNotContain("DNS: +", second.Output, StringComparison.Ordinal);
    }

    /// <summary>Returns the names in the certificate that a client gets that verifies name and chain and trusts one root.</summary>
    private static async Task<IEnumerable<string>> NamesServedAsync(WildcardProcess sample, string host, X509Certificate2? anchor)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(sample.EndPoint, Cancelled);
        await using var tls = new SslStream(socket.GetStream());
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        if (anchor is not null)
        {
            policy.CustomTrustStore.Add(anchor);
        }

        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = policy }, Cancelled);
        using var served = new X509Certificate2(tls.RemoteCertificate!);
        return [.. served.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames()];
    }
}
