using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Contract;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Features of PowerDNS: changes that replace all values of a name, disabled records, comments. Uses Debian's pdns-server.
/// </summary>
public sealed class PowerDnsProviderTests : IAsyncLifetime
{
    private const string Zone = "api/v1/servers/localhost/zones/example.test.";
    private const string Name = "_acme-challenge.example.test";

    private PowerDnsServer? _server;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private PowerDnsServer Server => _server ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync() => _server = await PowerDnsServer.StartAsync(["example.test"], Cancelled);

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Change_TwoInstancesAtOnce_EveryValueStaysUntilItsDeletion()
    {
        using var one = CreateProvider();
        using var two = CreateProvider();
        var providers = new[] { one, two };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            for (var round = 0; round < 3; round++)
            {
                var value = $"value-{i}-{round}";
                await ChangeAsync(() => providers[i % 2].CreateTxtAsync(Txt(value), Cancelled));
                for (var look = 0; look < 5; look++)
                {
                    Assert.Contains(value, await TxtQuery.AskAsync(Server.Address, Name, Cancelled));
                }

                await ChangeAsync(() => providers[i % 2].DeleteTxtAsync(Txt(value), Cancelled));
            }
        }));

        Assert.Empty(await TxtQuery.AskAsync(Server.Address, Name, Cancelled));

        // On a slow disk, PowerDNS responds with 500 if its database is locked by another change for too long. An order tries again.
        static async Task ChangeAsync(Func<Task> change)
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await change();
                    return;
                }
                catch (DnsProviderException exception) when (tries < 5 && exception.Message.Contains("with 500 ", StringComparison.Ordinal))
                {
                    // The next try comes at once: the other change is over.
                }
            }
        }
    }

    [Fact]
    public async Task Change_DisabledRecordsCommentsAndTimeToLive_AreKept()
    {
        using var client = Server.CreateClient();
        var set = new
        {
            name = Name + ".",
            type = "TXT",
            ttl = 1234,
            changetype = "REPLACE",
            records = new[] { new { content = "\"theirs\"", disabled = false }, new { content = "\"switched-off\"", disabled = true } },
            comments = new[] { new { content = "do not touch", account = "somebody" } },
        };
        using (var response = await client.PatchAsJsonAsync(Zone, new { rrsets = new[] { set } }, Cancelled))
        {
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancelled));
        }

        using var provider = CreateProvider();
        await provider.CreateTxtAsync(Txt("ours"), Cancelled);
        Assert.Equal(["1234", "comment do not touch", "off \"switched-off\"", "on \"ours\"", "on \"theirs\""], await ShowAsync(client));
        await provider.DeleteTxtAsync(Txt("ours"), Cancelled);
        Assert.Equal(["1234", "comment do not touch", "off \"switched-off\"", "on \"theirs\""], await ShowAsync(client));
    }

    [Fact]
    public async Task Delete_OnlyDisabledRecordsAreLeft_KeepsThem()
    {
        using var client = Server.CreateClient();
        var records = new[] { new { content = "\"ours\"", disabled = false }, new { content = "\"switched-off\"", disabled = true } };
        var set = new { name = Name + ".", type = "TXT", ttl = 60, changetype = "REPLACE", records };
        using var response = await client.PatchAsJsonAsync(Zone, new { rrsets = new[] { set } }, Cancelled);
        using var provider = CreateProvider();

        await provider.DeleteTxtAsync(Txt("ours"), Cancelled);

        Assert.Equal(["60", "off \"switched-off\""], await ShowAsync(client));
    }

    [Theory]
    [InlineData("http://192.0.2.1:8081/", true)]
    [InlineData("http://dns.internal.test/", true)]
    [InlineData("https://dns.internal.test/", false)]
    [InlineData("http://127.0.0.1:8081/", false)]
    [InlineData("http://[::1]:8081/", false)]
    [InlineData("http://localhost/", false)]
    public async Task FirstUse_PlainHttp_WarnsUnlessItStaysOnThisMachine(string url, bool warns)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DnsProviders:0:Type"] = "PowerDns",
            ["AcmeHttps:DnsProviders:0:ApiUrl"] = url,
            ["AcmeHttps:DnsProviders:0:ApiKey"] = "secret-of-the-api",
        };
        await using var app = new DnsFixture(settings, dnsPort: 53);

        // A provider is created when a record first needs it, before anything is sent.
        var providers = app.Services.GetRequiredService<DnsProviderTable>();
        Assert.NotNull(providers.Find(Name, Name));
        Assert.NotNull(providers.Find(Name, Name));

        Assert.Equal(
            warns ? 2 : 1,
            app.Log.ToString().Split($"The DNS provider PowerDns at {new Uri(url).Authority} is used over plain HTTP").Length);
        Assert.DoesNotContain("secret-of-the-api", app.Log.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Version 5.0 and later, for which no server is available: the documented change types, rejected or not.</summary>
    [Theory]
    [InlineData(true, new[] { "EXTEND", "PRUNE" })]
    [InlineData(false, new[] { "EXTEND", "REPLACE", "DELETE" })]
    public async Task Change_ServerSupportsSingleValues_UsesThem(bool isNew, string[] expected)
    {
        var changes = new List<string>();
        var values = new List<string>();
        await using var api = await StubApi.StartAsync(
            app => app.Run(async context =>
            {
                if (context.Request.Method == "PATCH")
                {
                    var change = (await JsonNode.ParseAsync(context.Request.Body))!["rrsets"]![0]!;
                    var type = (string)change["changetype"]!;
                    changes.Add(type);
                    if (!isNew && type is "EXTEND" or "PRUNE")
                    {
                        context.Response.StatusCode = 422;
                        await context.Response.WriteAsync("""{"error":"Changetype not understood"}""");
                        return;
                    }

                    values.Clear();
                    values.AddRange(type is "EXTEND" or "REPLACE" ? change["records"]!.AsArray().Select(r => (string)r!["content"]!) : []);
                    context.Response.StatusCode = 204;
                    return;
                }

                var records = new JsonArray([.. values.Select(v => new JsonObject { ["content"] = v, ["disabled"] = false })]);
                var set = new JsonObject { ["name"] = Name + ".", ["type"] = "TXT", ["ttl"] = 60, ["records"] = records };
                await context.Response.WriteAsync(
                    context.Request.Path.Value!.EndsWith("search-data", StringComparison.Ordinal)
                        ? "[]"
                        : new JsonObject { ["rrsets"] = new JsonArray(set) }.ToJsonString());
            }),
            Cancelled);
        using var provider = new PowerDnsProvider(
            ProviderSettings.Of(
                new PowerDnsOptions { ApiUrl = api.Url.ToString(), ApiKey = "key-of-the-api" }, PowerDnsOptions.ProviderType),
            TimeProvider.System);

        await provider.CreateTxtAsync(Txt("ours"), Cancelled);
        await provider.DeleteTxtAsync(Txt("ours"), Cancelled);

        Assert.Equal(expected, changes);
        Assert.Empty(values);
    }

    private static DnsTxtRecord Txt(string value)
        => new() { ChallengeName = Name, Name = Name, Zone = "example.test", Value = value, TimeToLive = TimeSpan.FromSeconds(60) };

    private static async Task<string[]> ShowAsync(HttpClient client)
    {
        var zone = (await client.GetFromJsonAsync<JsonNode>(Zone, Cancelled))!;
        var set = zone["rrsets"]!.AsArray().Single(s => (string)s!["name"]! == Name + "." && (string)s["type"]! == "TXT")!;
        var records = set["records"]!.AsArray()
            .Select(r => $"{((bool)r!["disabled"]! ? "off" : "on")} {(string)r["content"]!}")
            .Order(StringComparer.Ordinal);
        return [$"{(long)set["ttl"]!}", .. set["comments"]!.AsArray().Select(c => $"comment {(string)c!["content"]!}"), .. records];
    }

    private PowerDnsProvider CreateProvider() => new(
        ProviderSettings.Of(
            new PowerDnsOptions { ApiUrl = Server.ApiUrl.ToString(), ApiKey = Server.ApiKey }, PowerDnsOptions.ProviderType),
        TimeProvider.System);
}
