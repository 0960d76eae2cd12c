using System.Net;
using KestrelAcme.LocalAuthority.Tests.Client;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

public sealed class Http01ValidationTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("  \r\n\t")]
    public async Task Http01_KeyAuthorizationWithTrailingSpace_IsValid(string suffix)
    {
        var (status, error) = await ValidateAsync("app.test", (context, expected) => context.Response.WriteAsync(expected + suffix));
        Assert.Equal(("valid", ""), (status, error));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("", "x")]
    [InlineData("x", "")]
    [InlineData("\uFEFF", "")]
    [InlineData("<html>", "</html>")]
    public async Task Http01_OtherBody_IsUnauthorized(string prefix, string suffix)
    {
        var (status, error) = await ValidateAsync("app.test", (context, expected) =>
            context.Response.WriteAsync(prefix.Length + suffix.Length == 0 ? "" : prefix + expected + suffix));
        Assert.Equal(("invalid", "unauthorized"), (status, error));
    }

    [Fact]
    public async Task Http01_BodyThatNeverEnds_IsReadFor128BytesOnly()
    {
        var (status, error) = await ValidateAsync("app.test", async (context, expected) =>
        {
            await context.Response.WriteAsync(expected + new string(' ', 200), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        });
        Assert.Equal(("valid", ""), (status, error));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(204)]
    public async Task Http01_OtherStatus_IsUnauthorized(int code)
    {
        var (status, error) = await ValidateAsync("app.test", (context, expected) =>
        {
            context.Response.StatusCode = code;
            return code == 204 ? Task.CompletedTask : context.Response.WriteAsync(expected);
        });
        Assert.Equal(("invalid", "unauthorized"), (status, error));
    }

    [Theory]
    [InlineData(10, "valid", "")]
    [InlineData(11, "invalid", "connection")]
    public async Task Http01_Redirects_AreFollowedTenTimes(int count, string expectedStatus, string expectedError)
    {
        var seen = 0;
        var (status, error) = await ValidateAsync("app.test", (context, expected) =>
        {
            if (Interlocked.Increment(ref seen) > count)
            {
                return context.Response.WriteAsync(expected);
            }

            context.Response.Redirect($"http://other{seen}.test{context.Request.Path}");
            return Task.CompletedTask;
        });
        Assert.Equal((expectedStatus, expectedError), (status, error));
    }

    [Theory]
    [InlineData("ftp://app.test/")]
    [InlineData("")]
    public async Task Http01_RedirectElsewhere_IsAConnectionProblem(string location)
    {
        var (status, error) = await ValidateAsync("app.test", (context, _) =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = location.Length == 0 ? default : location;
            return Task.CompletedTask;
        });
        Assert.Equal(("invalid", "connection"), (status, error));
    }

    [Theory]
    [InlineData("app.test")]
    [InlineData("quickstart.localhost")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task Http01_NameOfThisMachineOrMapped_HostHeaderIsTheName(string name)
    {
        string? host = null;
        var (status, _) = await ValidateAsync(name, (context, expected) =>
        {
            host = context.Request.Host.Value;
            return context.Response.WriteAsync(expected);
        });

        Assert.Equal((name, "valid"), (host, status));
    }

    [Fact]
    public async Task Http01_NobodyListens_IsAConnectionProblem()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Resolve("down.test", new IPEndPoint(IPAddress.Loopback, KestrelAcme.Testing.FreePort.Tcp()));
        Assert.Equal("connection", (await RunAsync(fixture, "down.test")).Error);
    }

    [Fact]
    public async Task Http01_NameWithoutAddress_IsADnsProblemThatSaysHow()
    {
        await using var authority = await LocalAcmeAuthority.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var client = new TestClient(authority);
        await client.RegisterAsync();
        var order = await client.OrderAsync("app.test");
        var challenge = await client.ChallengeAsync(order.Texts("authorizations")[0], "http-01");
        await client.PostAsync(challenge.Url, "{}");
        var settled = await client.SettledAsync(order.Texts("authorizations")[0]);
        var error = settled.Json["challenges"]!.AsArray().Single(c => c!["error"] is not null)!["error"]!;
        Assert.Equal("urn:ietf:params:acme:error:dns", (string?)error["type"]);
        Assert.Contains("Resolve(\"app.test\"", (string?)error["detail"], StringComparison.Ordinal);
        Assert.Equal("app.test", Assert.Single(authority.Validations).Identifier);
    }

    [Fact]
    public async Task Http01_NoAnswer_TimesOut()
    {
        await using var fixture = await AuthorityFixture.StartAsync(o => o.ValidationTimeout = TimeSpan.FromMilliseconds(200));
        var result = await RunAsync(fixture, "app.test", (context, _) =>
            Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(
                _ => { }, TaskScheduler.Default));
        Assert.Equal(("invalid", "connection"), result);
    }

    [Fact]
    public async Task Http01_PostedTwice_IsFetchedOnce()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        var challenge = await fixture.Client.ChallengeAsync(order.Texts("authorizations")[0], "http-01");
        fixture.Server.Serve(challenge.Token, $"{challenge.Token}.{fixture.Client.Key.Thumbprint()}");
        await fixture.Client.PostAsync(challenge.Url, "{}");
        await fixture.Client.PostAsync(challenge.Url, "{}");
        await fixture.Client.SettledAsync(order.Texts("authorizations")[0]);
        await fixture.Client.PostAsync(challenge.Url, "{}");
        Assert.Single(fixture.Server.Hits);
        Assert.Single(fixture.Authority.Validations);
    }

    private static async Task<(string Status, string Error)> ValidateAsync(string name, Func<HttpContext, string, Task> answer)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        return await RunAsync(fixture, name, answer);
    }

    private static async Task<(string Status, string Error)> RunAsync(
        AuthorityFixture fixture, string name, Func<HttpContext, string, Task>? answer = null)
    {
        var order = await fixture.Client.OrderAsync(name);
        var url = order.Texts("authorizations")[0];
        var challenge = await fixture.Client.ChallengeAsync(url, "http-01");
        var expected = $"{challenge.Token}.{fixture.Client.Key.Thumbprint()}";
        fixture.Server.Map(challenge.Token, context => answer?.Invoke(context, expected) ?? Task.CompletedTask);
        await fixture.Client.PostAsync(challenge.Url, "{}");
        var settled = await fixture.Client.SettledAsync(url);
        var error = settled.Json["challenges"]!.AsArray().FirstOrDefault(c => c!["error"] is not null)?["error"]!["type"];
        return (settled.Text("status"), ((string?)error ?? "").Replace("urn:ietf:params:acme:error:", "", StringComparison.Ordinal));
    }
}
