using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace KestrelAcme.Yarp.Tests;

public sealed class YarpDomainSourceTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("example.com:8443", "example.com")]
    [InlineData("*.example.com", "*.example.com")]
    [InlineData("münchen.example", "münchen.example")]
    [InlineData("192.0.2.1:443", "192.0.2.1")]
    [InlineData("[2001:db8::1]:443", "2001:db8::1")]
    [InlineData("*", null)]
    [InlineData("*:443", null)]
    [InlineData("", null)]
    public void NamesOf_AHost_IsTheNameInIt(string host, string? name)
        => Assert.Equal(name is null ? [] : [name], YarpDomainSource.NamesOf(Route("r", host)));

    [Fact]
    public void NamesOf_ARouteWithoutHosts_AreNone()
        => Assert.Empty(YarpDomainSource.NamesOf(new RouteConfig { RouteId = "r", Match = new RouteMatch { Path = "/" } }));

    [Theory]
    [InlineData("false", 0)]
    [InlineData("False", 0)]
    [InlineData("true", 1)]
    [InlineData("maybe", 1)]
    public void NamesOf_ARouteWithMetadata_AreNoneIfItIsExempt(string value, int names)
    {
        var route = Route("r", "example.com") with { Metadata = new Dictionary<string, string> { ["AcmeHttps"] = value } };

        Assert.Equal(names, YarpDomainSource.NamesOf(route).Count());
    }

    [Fact]
    public async Task GetDomainNames_RoutesShareHosts_EachHostOnce()
    {
        await using var app = Proxy(out _, Route("a", "one.example", "two.example"), Route("b", "TWO.example:443"));

        Assert.Equal(["one.example", "two.example"], await SortedNamesAsync(app));
    }

    [Fact]
    public async Task GetDomainNames_NoYarpInTheApp_SaysWhatToDo()
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Services.AddAcmeHttps().AddDomainsFromYarp();
        await using var app = builder.Build();

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => NamesAsync(app));

        Assert.Contains("AddReverseProxy", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChangeToken_AHostIsAdded_FiresOnceAndTheNextOneIsFresh()
    {
        await using var app = Proxy(out var routes, Route("a", "one.example"));
        var source = app.Services.GetRequiredService<IDomainSource>();
        var token = source.GetChangeToken()!;

        routes.Update([Route("a", "one.example"), Route("b", "two.example")], Clusters);
        await Poll.UntilAsync(() => token.HasChanged, "the token fired", cancellationToken: Cancelled);

        Assert.False(source.GetChangeToken()!.HasChanged);
        Assert.Equal(["one.example", "two.example"], await SortedNamesAsync(app));
    }

    [Fact]
    public async Task ChangeToken_OnlyADestinationChanges_DoesNotFire()
    {
        await using var app = Proxy(out _, Route("a", "one.example"));
        var source = app.Services.GetRequiredService<YarpDomainSource>();
        var token = source.GetChangeToken();

        source.ConfigurationApplied([]);

        Assert.False(token.HasChanged);
    }

    [Fact]
    public void AddDomainsFromYarp_Twice_IsHarmless()
    {
        var services = new ServiceCollection();
        services.AddAcmeHttps().AddDomainsFromYarp().AddDomainsFromYarp();

        Assert.Single(services, s => s.ServiceType == typeof(IDomainSource));
        Assert.Single(services, s => s.ServiceType == typeof(IConfigChangeListener));
    }

    private static readonly ClusterConfig[] Clusters = [new() { ClusterId = "c" }];

    private static RouteConfig Route(string id, params string[] hosts)
        => new() { RouteId = id, ClusterId = "c", Match = new RouteMatch { Hosts = hosts } };

    private static async Task<IReadOnlyCollection<string>> NamesAsync(WebApplication app)
        => await app.Services.GetRequiredService<IDomainSource>().GetDomainNamesAsync(Cancelled);

    private static async Task<List<string>> SortedNamesAsync(WebApplication app)
        => [.. (await NamesAsync(app)).Select(n => n.Replace("TWO", "two", StringComparison.Ordinal)).Order()];

    private static WebApplication Proxy(out InMemoryConfigProvider routes, params RouteConfig[] first)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReverseProxy().LoadFromMemory(first, Clusters);
        builder.Services.AddAcmeHttps().AddDomainsFromYarp();
        var app = builder.Build();
        app.MapReverseProxy();
        routes = app.Services.GetRequiredService<InMemoryConfigProvider>();
        return app;
    }
}
