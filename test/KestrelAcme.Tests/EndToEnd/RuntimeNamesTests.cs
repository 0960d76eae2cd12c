using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class RuntimeNamesTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Obtain_NewName_IsServedAndKeptOverARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        string serial;
        await using (var app = await fixture.StartAppAsync(fixture.Settings("app.test")))
        {
            fixture.Authority.Resolve("late.test", app.Http);
            serial = (await app.Certificates.ObtainAsync("late.test", Cancelled)).SerialNumber!;
            Assert.Equal(serial, (await app.ConnectAsync("late.test", Cancelled)).SerialNumber);
            await app.ObtainedAsync("app.test");
            await app.StopAsync(Cancelled);
        }

        await using var second = await fixture.StartAppAsync(fixture.Settings("app.test"));
        Assert.Equal(serial, (await second.ConnectAsync("late.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task AddDomains_OnOneInstance_TheOtherServesThemToo()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var one = await fixture.StartAppAsync(fixture.Settings("app.test"));
        // The name leads to the second instance before that listens.
        await one.ObtainedAsync("app.test");
        await using var two = await fixture.StartAppAsync(fixture.Settings("app.test"));
        fixture.Authority.Resolve("late.test", one.Http);

        await one.Certificates.AddDomainsAsync(["late.test"], Cancelled);

        await one.ObtainedAsync("late.test");
        await two.ObtainedAsync("late.test");
        Assert.Equal(
            (await one.ConnectAsync("late.test", Cancelled)).SerialNumber, (await two.ConnectAsync("late.test", Cancelled)).SerialNumber);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task AddDomains_BadName_SaysWhyAndAddsNone()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"));

        var exception = await Assert.ThrowsAsync<ArgumentException>(
            () => app.Certificates.AddDomainsAsync(["good.test", "http://bad.test"], Cancelled));

        Assert.Contains("http://bad.test", exception.Message, StringComparison.Ordinal);
        Assert.Null(app.Certificates.Find("good.test"));
    }

    [Fact]
    public async Task RemoveDomains_Added_IsNoLongerManagedButStillServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"));
        fixture.Authority.Resolve("late.test", app.Http);
        var serial = (await app.Certificates.ObtainAsync("late.test", Cancelled)).SerialNumber;

        Assert.Equal(1, await app.Certificates.RemoveDomainsAsync(["late.test"], Cancelled));

        Assert.Null(app.Certificates.Find("late.test"));
        Assert.Equal(serial, (await app.ConnectAsync("late.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task DomainSource_FailsOrIsEmptyLater_NothingIsLost()
    {
        var source = new ChangingSource(["a.test", "b.test"]);
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"),
            acme: builder => builder.Services.AddSingleton<IDomainSource>(source));
        fixture.Authority.Resolve("a.test", app.Http);
        fixture.Authority.Resolve("b.test", app.Http);
        fixture.Authority.Resolve("c.test", app.Http);

        source.Set(["a.test", "b.test", "c.test"]);
        await app.ObtainedAsync("c.test");
        source.Set([]);
        await Poll.UntilAsync(() => app.Log.Has("DomainSourceEmpty"), "the empty source is reported", cancellationToken: Cancelled);
        source.Set(null);
        await Poll.UntilAsync(() => app.Log.Has("DomainSourceFailed"), "the failing source is reported", cancellationToken: Cancelled);

        Assert.NotNull(app.Certificates.Find("a.test"));
        Assert.NotNull(app.Certificates.Find("c.test"));
    }
}
