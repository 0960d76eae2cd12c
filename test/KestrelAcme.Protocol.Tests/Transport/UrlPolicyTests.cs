using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class UrlPolicyTests
{
    [Theory]
    [InlineData("https://acme.test/directory", true)]
    [InlineData("http://127.0.0.1:14000/dir", true)]
    [InlineData("http://localhost/dir", true)]
    [InlineData("http://[::1]:1/dir", true)]
    [InlineData("http://acme.test/directory", false)]
    [InlineData("http://127.0.0.1.example/dir", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("ftp://acme.test/", false)]
    public void IsAllowed_Url_HttpsOrLoopback(string url, bool allowed) => Assert.Equal(allowed, UrlPolicy.IsAllowed(new Uri(url)));

    [Fact]
    public void AcmeClient_PlainHttp_Throws()
    {
        Assert.Throws<ArgumentException>(() => new AcmeClient(new Uri("http://acme.test/directory")));
        Assert.Throws<ArgumentException>(() => new AcmeClient(new Uri("/directory", UriKind.Relative)));
    }
}
