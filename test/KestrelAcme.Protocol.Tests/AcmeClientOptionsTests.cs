using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests;

public sealed class AcmeClientOptionsTests : ScriptedTest
{
    [Fact]
    public async Task UserAgentProduct_Set_GoesFirst()
    {
        using var client = CreateClient(configure: options => options.UserAgentProduct = new ProductInfoHeaderValue("MyApp", "2.1"));

        await client.GetDirectoryAsync(Cancellation);

        Assert.StartsWith("MyApp/2.1 KestrelAcme.Protocol/0.1.0 dotnet/", Server.Requests[0].UserAgent, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_Contradictions_Throws()
    {
        var url = new Uri("https://acme.test/directory");
        using var http = new HttpClient(Server, disposeHandler: false);
        using var certificate = X509CertificateLoader.LoadCertificate(Certificates.TestCertificates.IssuedBy("x"));

        Assert.Throws<ArgumentException>(
            () => new AcmeClient(url, new AcmeClientOptions { HttpClient = http, HttpMessageHandler = Server }));
        Assert.Throws<ArgumentException>(
            () => new AcmeClient(url, new AcmeClientOptions { HttpClient = http, TrustedRoots = [certificate] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AcmeClient(url, new AcmeClientOptions { RequestTimeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AcmeClient(url, new AcmeClientOptions { Retry = { MaxAttempts = 0 } }));
    }

    [Fact]
    public async Task Dispose_HandlerOfTheUser_Lives()
    {
        var client = CreateClient();
        client.Dispose();

        await Client.GetDirectoryAsync(Cancellation);
    }
}
