using System.Text.Json;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting.Status;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.EndToEnd.OnDemand;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

/// <summary>The names on demand, and the accounts, on the status page.</summary>
public sealed class StatusDemandTests
{
    private const string Hostile = "x\"><script>alert(1)</script>\n.test";

    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_NamesOnDemand_AreListedWithTheAccount()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(
            static name => name == "shop.test" ? IssuanceDecision.Allow() : IssuanceDecision.Deny(reason: "<b>not</b> a\ncustomer"));
        await using var app = await OnDemandApp.StartAsync(fixture, permission, pipeline: static web => web.MapAcmeHttpsStatus());
        await app.ConnectAsync("shop.test", Cancelled);
        await app.ConnectAsync("other.test", Cancelled);

        var html = await GetAsync(app, "text/html");
        using var json = JsonDocument.Parse(await GetAsync(app, "application/json"));

        var demand = json.RootElement.GetProperty("onDemand");
        Assert.Equal("shop.test", Assert.Single(demand.GetProperty("newest").EnumerateArray()).GetProperty("name").GetString());
        var refused = Assert.Single(demand.GetProperty("refused").EnumerateArray());
        Assert.Equal(
            ("other.test", "<b>not</b> a customer"), (refused.GetProperty("name").GetString(), refused.GetProperty("reason").GetString()));
        Assert.Contains("<strong>shop.test</strong></span>", html, StringComparison.Ordinal);
        Assert.Contains("<strong>other.test</strong>: &lt;b&gt;not&lt;/b&gt; a customer</span>", html, StringComparison.Ordinal);
        Assert.Contains($"<code>{app.Certificates.Find("shop.test")!.AccountUrl}</code>", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_NothingOnDemand_HasNoSection()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"), pipeline: static web => web.MapAcmeHttpsStatus());

        var html = await GetAsync(app, "text/html");
        using var json = JsonDocument.Parse(await GetAsync(app, "application/json"));

        Assert.DoesNotContain("on-demand", html, StringComparison.Ordinal);
        Assert.False(json.RootElement.TryGetProperty("onDemand", out _));
    }

    [Fact]
    public async Task Read_ManyAndHostileNames_AreBoundedAndQuoted()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.Allow());
        var (names, denied) = (app.Services.GetRequiredService<OnDemandNames>(), app.Services.GetRequiredService<DeniedNames>());
        for (var i = 0; i < 50; i++)
        {
            names.Add(Known(app, $"n{i:00}.test", Start.AddMinutes(i)));
            denied.Denied($"d{i:00}.test", TimeSpan.FromMinutes(1), reason: null);
        }

        denied.Denied(Hostile, TimeSpan.FromMinutes(1), reason: $"{Hostile}{new string('y', 2000)}");
        denied.Refused(Hostile, "again");

        var report = ActivatorUtilities.CreateInstance<StatusDemand>(app.Services).Read()!;

        Assert.Equal(Enumerable.Range(30, 20).Reverse().Select(i => $"n{i:00}.test"), report.Newest.Select(n => n.Name));
        Assert.Equal(Start.AddMinutes(49), report.Newest[0].FirstAsked);
        Assert.InRange(report.Refused.Count, 2, StatusDemand.MostNames);
        var hostile = Assert.Single(report.Refused, r => r.Name.Contains("alert", StringComparison.Ordinal));
        Assert.Equal(("again", 0), (hostile.Reason, report.Refused.ToList().IndexOf(hostile)));
        Assert.DoesNotContain('\n', hostile.Name);
        Assert.Equal("d49.test", report.Refused[1].Name);
    }

    private static OnDemandName Known(AcmeApp app, string name, DateTimeOffset at)
    {
        var record = new OnDemandRecord { Name = name, FirstAsked = at, LastAsked = at };
        var snapshot = app.Services.GetRequiredService<ConfigurationSource>().Current;
        return new OnDemandName(record, OnDemandSpecifications.Create(record, snapshot).Certificates, learned: 0);
    }

    private static async Task<string> GetAsync(AcmeApp app, string accept)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{app.Http}") };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/acme-status");
        request.Headers.Accept.ParseAdd(accept);
        using var response = await client.SendAsync(request, Cancelled);
        return await response.Content.ReadAsStringAsync(Cancelled);
    }
}
