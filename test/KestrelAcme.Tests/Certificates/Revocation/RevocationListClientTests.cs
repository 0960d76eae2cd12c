using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Revocation;

public sealed class RevocationListClientTests
{
    private static readonly Uri Remote = new("https://ca.test/directory");
    private static readonly Uri Here = new("https://localhost:14000/directory");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The URL of a list comes from the CA. It must not reach a service of this machine.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("0.0.0.0")]
    public async Task Fetch_ListOfARemoteCaOnThisMachine_IsNotRequested(string host)
    {
        await using var service = new OddHttpServer();

        var failure = await Assert.ThrowsAsync<HttpRequestException>(()
            => FetchAsync(new Uri($"http://{host}:{service.EndPoint.Port}/list.crl"), Remote));

        Assert.Contains("it is an address of this machine, but ca.test is not", failure.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, service.Requests);
    }

    [Theory]
    [InlineData("169.254.169.254", "a link-local address")]
    [InlineData("[fd00:ec2::254]", "the address of a cloud's metadata service")]
    [InlineData("[64:ff9b::a9fe:a9fe]", "a link-local address")]
    public async Task Fetch_MetadataService_IsNeverRequested(string host, string reason)
    {
        foreach (var authority in new[] { Remote, Here })
        {
            Assert.Contains(reason, (await Assert.ThrowsAsync<HttpRequestException>(()
                => FetchAsync(new Uri($"http://{host}/latest"), authority))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Fetch_AuthorityIsOnThisMachine_ItsListIsFetched()
    {
        await using var service = new OddHttpServer { Answer = OddAnswers.Latin1(
            "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 4\r\n\r\nlist") };

        var fetched = await FetchAsync(new Uri($"http://127.0.0.1:{service.EndPoint.Port}/list.crl"), Here);

        Assert.Equal("\"1\"", fetched!.Tag!.Tag);
    }

    [Fact]
    public async Task Fetch_Redirect_IsNotFollowed()
    {
        await using var service = new OddHttpServer();
        await using var list = new OddHttpServer { Answer = OddAnswers.Latin1(
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:" + service.EndPoint.Port + "/\r\n\r\n") };

        Assert.Contains("status 302",
            (await Assert.ThrowsAsync<HttpRequestException>(()
            => FetchAsync(new Uri($"http://127.0.0.1:{list.EndPoint.Port}/"), Here))).Message, StringComparison.Ordinal);
        Assert.Equal(0, service.Requests);
    }

    [Fact]
    public async Task Fetch_OddAnswers_EndInOurExceptions()
    {
        await using var service = new OddHttpServer();
        string[] templates = ["HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Type: application/pkix-crl\r\nContent-Length: 4\r\n\r\nlist",
            "HTTP/1.1 304 Not Modified\r\nETag: W/\"1\"\r\n\r\n"];
        foreach (var answer in OddAnswers.Redirects.Concat(OddAnswers.Mutations(seed: 4, count: 150, templates)))
        {
            service.Answer = answer;
            try
            {
                await FetchAsync(new Uri($"http://127.0.0.1:{service.EndPoint.Port}/list.crl"), Here);
            }
            catch (Exception exception) when (exception is HttpRequestException or UnusableRevocationListException)
            {
                Assert.DoesNotContain(exception.Message, char.IsControl);
            }
        }
    }

    private static async Task<FetchedRevocationList?> FetchAsync(Uri url, Uri authority)
    {
        using var client = new RevocationListClient(TimeProvider.System);
        return await client.FetchAsync(
            url,
            authority,
            known: null,
            async (body, token) =>
            {
                await body.CopyToAsync(Stream.Null, token);
                return new RevocationList(null, default, []);
            },
            Cancelled);
    }
}
