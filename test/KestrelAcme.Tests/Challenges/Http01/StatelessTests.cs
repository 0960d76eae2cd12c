using KestrelAcme.Challenges.Http01;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

/// <summary>Instances that share the key of their account, and no store (<c>Http01Stateless</c>).</summary>
public sealed class StatelessTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_TheAuthorityReachesAnotherInstance_IsValidated()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (first, second) = (new InMemoryStorage(), new CountingStorage(new InMemoryStorage()) { Prefix = "challenges/" });
        await using (var registering = await StartAsync(fixture, first, "Automatic"))
        {
            await registering.ObtainedAsync(Name);
            await CopyAccountAsync(first, second);
        }

        await using var answering = await StartAsync(fixture, second, "ServeOnly");
        await using var ordering = await StartAsync(fixture, first, "Automatic");
        fixture.Authority.Resolve(Name, answering.Http);
        var before = second.All;

        await ordering.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.All(fixture.Authority.Validations, v => Assert.Null(v.Problem));
        Assert.True(answering.Log.Has("TokenAnswered"));
        Assert.Equal(before, second.All);
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA", Name, 200)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA", "other.test", 404)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAA", Name, 404)]
    [InlineData("<script>AAAAAAAAAAAAAAAAAAAAA", Name, 404)]
    [InlineData("%3Cscript%3EAAAAAAAAAAAAAAAAAAAAA", Name, 404)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA.", Name, 404)]
    public async Task Request_AnyToken_IsReturnedAsPlainTextIfItIsWellFormed(string token, string host, int expected)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, new InMemoryStorage(), "Automatic");
        await app.ObtainedAsync(Name);

        var (status, answer) = await RawHttp.SendAsync(app.Http, "GET", Http01Path.Prefix + token, host, Cancelled);

        Assert.Equal(expected, status);
        if (status == 200)
        {
            Assert.Contains("Content-Type: text/plain\r\n", answer, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("X-Content-Type-Options: nosniff\r\n", answer, StringComparison.OrdinalIgnoreCase);
            Assert.Contains($"\r\n\r\n{token}.", answer, StringComparison.Ordinal);
        }
        else
        {
            Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Request_NoAccountYet_IsNotFound()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, new InMemoryStorage(), "ServeOnly");

        var (status, _) = await RawHttp.SendAsync(app.Http, "GET", Http01Path.Prefix + TestReplica.NewToken(), Name, Cancelled);

        Assert.Equal(404, status);
    }

    private static async Task CopyAccountAsync(InMemoryStorage from, CountingStorage to)
    {
        await foreach (var key in from.ListAsync("accounts/", Cancelled))
        {
            await to.WriteAsync(key, (await from.ReadAsync(key, Cancelled))!.Value, null, Cancelled);
        }
    }

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, string issuance)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:Issuance"] = issuance;
        settings["AcmeHttps:Http01Stateless"] = "true";
        var port = FreePort.Tcp();
        settings["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        fixture.Authority.Resolve(Name, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }
}
