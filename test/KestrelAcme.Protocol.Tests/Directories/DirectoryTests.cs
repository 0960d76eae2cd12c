using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Directories;

public sealed class DirectoryTests : ScriptedTest
{
    [Fact]
    public async Task GetDirectoryAsync_Full_IsRead()
    {
        var directory = await Client.GetDirectoryAsync(Cancellation);

        Assert.Equal("https://acme.test/new-account", directory.NewAccount.AbsoluteUri);
        Assert.Equal("https://acme.test/renewal-info/", directory.RenewalInfo!.AbsoluteUri);
        Assert.Equal("data:text/plain,terms", directory.Meta.TermsOfService);
        Assert.Equal(["acme.test"], directory.Meta.CaaIdentities);
        Assert.True(directory.Meta.ExternalAccountRequired);
        Assert.Equal("The usual", directory.Meta.Profiles["classic"]);
        Assert.Equal("", directory.Meta.Profiles["odd"]);
    }

    [Fact]
    public async Task GetDirectoryAsync_Least_IsEnough()
    {
        Server.On("/directory", Answer.Json("""{"newNonce":"/n","newAccount":"/a","newOrder":"/o","meta":null}"""));

        var directory = await Client.GetDirectoryAsync(Cancellation);

        Assert.Null(directory.RevokeCert);
        Assert.Empty(directory.Meta.Profiles);
        var exception = await Assert.ThrowsAsync<AcmeException>(
            () => Account.CreateAuthorizationAsync(Protocol.Identifiers.AcmeIdentifier.Dns("a.example"), Cancellation));
        Assert.Contains("offers no newAuthz", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetDirectoryAsync_Parallel_FetchesOnceUntilItIsOld()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Client.GetDirectoryAsync(Cancellation)));
        Assert.Single(Server.To("/directory"));

        Time.Advance(TimeSpan.FromMinutes(61));
        await Client.GetDirectoryAsync(Cancellation);
        Assert.Equal(2, Server.To("/directory").Count);
    }

    [Fact]
    public async Task GetDirectoryAsync_ManyWaitForASilentServer_AllFailWithTheFirst()
    {
        using var silent = new SilentServer();
        using var client = CreateClient(configure: o => o.HttpMessageHandler = silent);
        var started = Time.GetUtcNow();
        var all = Enumerable.Range(0, 20)
            .Select(_ => Assert.ThrowsAsync<AcmeUnreachableException>(() => client.GetDirectoryAsync(Cancellation)))
            .ToList();

        await Run(Task.WhenAll(all));

        // Four attempts of half a minute fit into the two minutes of the budget.
        Assert.InRange(Time.GetUtcNow() - started, TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(125));
        Assert.Equal(4, silent.Requests);

        // A later caller does not get the earlier failure.
        await RunToFailure<AcmeUnreachableException>(client.GetDirectoryAsync(Cancellation));
        Assert.Equal(8, silent.Requests);
    }

    [Theory]
    [InlineData(200, "text/html", "<html>welcome</html>", "is text/html, not application/json")]
    [InlineData(200, "application/json", "{}", "not an ACME directory: \"newNonce\" is missing")]
    [InlineData(200, "application/json", """{"newNonce":"http://acme.test/n"}""", "which is not an https URL")]
    [InlineData(404, "text/html", "<h1>Not found</h1>", "answered 404")]
    public async Task GetDirectoryAsync_NoDirectory_NamesTheUrlAndTheFix(int status, string mediaType, string body, string expected)
    {
        Server.On("/directory", Answer.Text(status, mediaType, body));

        var exception = await Assert.ThrowsAnyAsync<AcmeException>(() => Client.GetDirectoryAsync(Cancellation));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains("https://acme.test/directory", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith("Check that the directory URL is complete, path included.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetDirectoryAsync_Redirects_AreFollowedAndLinksAreRelativeToTheLast()
    {
        Server.On("/old", Answer.Empty(301, ("Location", "/moved/directory")));
        Server.On("/moved/directory", Answer.Json("""{"newNonce":"n","newAccount":"a","newOrder":"../o"}"""));
        using var client = CreateClient("/old");

        var directory = await client.GetDirectoryAsync(Cancellation);

        Assert.Equal("https://acme.test/moved/n", directory.NewNonce.AbsoluteUri);
        Assert.Equal("https://acme.test/o", directory.NewOrder.AbsoluteUri);
    }

    [Theory]
    [InlineData("http://acme.test/directory")]
    [InlineData("/loop")]
    public async Task GetDirectoryAsync_BadRedirects_End(string location)
    {
        Server.On("/loop", Answer.Empty(302, ("Location", location)));
        using var client = CreateClient("/loop");

        await Assert.ThrowsAnyAsync<AcmeException>(() => client.GetDirectoryAsync(Cancellation));

        Assert.InRange(Server.Requests.Count, 1, 6);
        Assert.All(Server.Requests, request => Assert.Equal("https", request.Url.Scheme));
    }

    [Fact]
    public async Task Post_ResourceMoved_ReadsTheDirectoryAnew()
    {
        Server.On("/new-account", Answer.Problem(404, "malformed"));
        await Assert.ThrowsAsync<AcmeException>(() => Client.CreateAccountAsync(Key, new NewAccountRequest(), Cancellation));
        await Assert.ThrowsAsync<AcmeException>(() => Client.CreateAccountAsync(Key, new NewAccountRequest(), Cancellation));

        Assert.Equal(2, Server.To("/directory").Count);
    }
}
