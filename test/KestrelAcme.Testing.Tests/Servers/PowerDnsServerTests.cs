using System.Net;
using System.Net.Http.Json;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class PowerDnsServerTests
{
    private const string Zone = "api/v1/servers/localhost/zones/example.test.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Patch_TwoTxtValues_AreServedAtOnce()
    {
        await using var server = await PowerDnsServer.StartAsync(["example.test"], Cancellation);
        using var client = server.CreateClient();
        Assert.Empty(await Dig.QueryAsync(server.Address, "_acme-challenge.example.test", "TXT", Cancellation));

        var records = new[] { new { content = "\"one\"", disabled = false }, new { content = "\"two\"", disabled = false } };
        var set = new { name = "_acme-challenge.example.test.", type = "TXT", ttl = 5, changetype = "REPLACE", records };
        using var response = await client.PatchAsJsonAsync(Zone, new { rrsets = new[] { set } }, Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        var answers = await Dig.QueryAsync(server.Address, "_acme-challenge.example.test", "TXT", Cancellation);
        Assert.Equal(["\"one\"", "\"two\""], answers.Order());
        Assert.Equal(["127.0.0.1"], await Dig.QueryAsync(server.Address, "ns1.example.test", "A", Cancellation));
    }

    [Fact]
    public async Task Get_WrongKey_IsRefused()
    {
        await using var server = await PowerDnsServer.StartAsync(["example.test"], Cancellation);
        using var client = new HttpClient { BaseAddress = server.ApiUrl };
        client.DefaultRequestHeaders.Add("X-API-Key", "wrong");

        using var response = await client.GetAsync(new Uri(Zone, UriKind.Relative), Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }
}
