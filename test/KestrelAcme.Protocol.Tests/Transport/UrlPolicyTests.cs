using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class UrlPolicyTests : ScriptedTest
{
    [Theory]
    [InlineData("https://acme.test/directory", true)]
    [InlineData("http://127.0.0.1:14000/dir", true)]
    [InlineData("http://localhost/dir", true)]
    [InlineData("http://ca.localhost/dir", true)]
    [InlineData("http://[::1]:1/dir", true)]
    [InlineData("http://acme.test/directory", false)]
    [InlineData("http://127.0.0.1.example/dir", false)]
    [InlineData("http://169.254.1.1/dir", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("ftp://acme.test/", false)]
    public void IsAllowed_Url_HttpsOrLoopback(string url, bool allowed) => Assert.Equal(allowed, UrlPolicy.IsAllowed(new Uri(url)));

    [Theory]
    [InlineData("http://127.0.0.1:6379/", "https://acme.test/directory", false)]
    [InlineData("http://localhost/", "https://acme.test/directory", false)]
    [InlineData("https://127.0.0.1/", "https://acme.test/directory", false)]
    [InlineData("https://[::ffff:127.0.0.1]/", "https://acme.test/directory", false)]
    [InlineData("https://localhost:8443/", "https://10.0.0.1/directory", false)]
    [InlineData("https://169.254.169.254/", "https://acme.test/directory", false)]
    [InlineData("https://[fd00:ec2::254]/", "https://acme.test/directory", false)]
    [InlineData("https://[64:ff9b::a9fe:a9fe]/", "https://acme.test/directory", false)]
    [InlineData("https://169.254.169.254/", "https://localhost/directory", false)]
    [InlineData("https://127.0.0.1/", "https://169.254.1.1/directory", false)]
    [InlineData("https://other.test/", "https://acme.test/directory", true)]
    [InlineData("https://10.0.0.2/", "https://acme.test/directory", true)]
    [InlineData("http://127.0.0.1:4000/", "https://localhost:14000/directory", true)]
    [InlineData("https://[::1]:4000/", "https://localhost:14000/directory", true)]
    [InlineData("https://169.254.1.1/", "https://169.254.1.1/directory", true)]
    public void IsAllowed_ServersUrl_IsNoNearerThanTheServer(string url, string origin, bool allowed)
        => Assert.Equal(allowed, UrlPolicy.IsAllowed(new Uri(url), new Uri(origin)));

    [Fact]
    public void AcmeClient_PlainHttp_Throws()
    {
        Assert.Throws<ArgumentException>(() => new AcmeClient(new Uri("http://acme.test/directory")));
        Assert.Throws<ArgumentException>(() => new AcmeClient(new Uri("/directory", UriKind.Relative)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080/admin")]
    [InlineData("https://localhost/admin")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://a..b/")]
    public async Task GetDirectory_NamesServicesOfThisMachine_IsMalformed(string url)
    {
        Server.On("/directory", Answer.Json($$"""{"newNonce":"/n","newAccount":"/a","newOrder":"{{url}}"}"""));

        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Client.GetDirectoryAsync(Cancellation));

        Assert.Contains(url, exception.Message, StringComparison.Ordinal);
        Assert.Single(Server.Requests);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080/directory")]
    [InlineData("https://[::1]/directory")]
    public async Task GetDirectory_RedirectsToThisMachine_IsNotFollowed(string url)
    {
        Server.On("/directory", Answer.Empty(302, ("Location", url)));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Client.GetDirectoryAsync(Cancellation));

        Assert.Single(Server.Requests);
    }

    [Fact]
    public async Task NewAccountAndNewOrder_LocationOnThisMachine_IsMissing()
    {
        Server.On("/new-account", Answer.Json("""{"status":"valid"}""", 201, ("Location", "http://127.0.0.1:8080/account")));
        Server.On("/new-order", Answer.Json("""{"status":"pending"}""", 201, ("Location", "https://localhost/order")));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Client.CreateAccountAsync(Key, new(), Cancellation));
        await Assert.ThrowsAsync<AcmeMalformedResponseException>(()
            => Account.CreateOrderAsync(new() { Identifiers = [Protocol.Identifiers.AcmeIdentifier.Dns("a.test")] }, Cancellation));
    }

    [Fact]
    public async Task Fetch_StoredUrlOnThisMachine_Throws()
        => await Assert.ThrowsAsync<ArgumentException>(() => Account.GetOrderAsync(new Uri("http://127.0.0.1:8080/order/1"), Cancellation));
}
