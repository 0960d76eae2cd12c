using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Processes;

public sealed class OpenSslTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task VerifyAsync_RootAndName_TellsRightFromWrong()
    {
        using var certificate = LoopbackCertificate.Create("www.example.test");
        using var other = LoopbackCertificate.Create();

        Assert.Equal(
            0, (await OpenSsl.VerifyAsync(certificate.CertificatePem, certificate.RootPem, "www.example.test", Cancellation)).ExitCode);
        Assert.Equal(0, (await OpenSsl.VerifyAsync(certificate.CertificatePem, certificate.RootPem, "127.0.0.1", Cancellation)).ExitCode);
        Assert.NotEqual(
            0, (await OpenSsl.VerifyAsync(certificate.CertificatePem, certificate.RootPem, "example.org", Cancellation)).ExitCode);
        Assert.NotEqual(0, (await OpenSsl.VerifyAsync(certificate.CertificatePem, other.RootPem, null, Cancellation)).ExitCode);
    }

    [Fact]
    public async Task ShowCertificatesAsync_PebblesHttps_ReturnsTheChainAsServed()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);

        var served = await OpenSsl.ShowCertificatesAsync(
            pebble.DirectoryUrl.Port, "localhost", rootsPem: pebble.TrustedRootsPem, cancellationToken: Cancellation);

        Assert.Single(served.CertificatesPem);
        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        using var leaf = served.LoadLeaf();
        Assert.Equal("CN=localhost", leaf.Subject);
    }

    [Fact]
    public async Task DescribeAsync_Certificate_PrintsIt()
    {
        using var certificate = LoopbackCertificate.Create("www.example.test");

        Assert.Contains(
            "DNS:www.example.test",
            await OpenSsl.DescribeAsync(certificate.CertificatePem, cancellationToken: Cancellation),
            StringComparison.Ordinal);
    }
}
