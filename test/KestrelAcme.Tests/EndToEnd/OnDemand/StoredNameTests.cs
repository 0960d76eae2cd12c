using KestrelAcme.Certificates;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>A name on demand after a restart: its certificate is stored, and served only if it is still allowed.</summary>
public sealed class StoredNameTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_StillAllowed_IsServedFromTheStore()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var serial = await VisitAsync(fixture);
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Equal(serial, answer.SerialNumber);
        Assert.Equal(["shop.test"], permission.Asked);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Connect_NoLongerAllowed_IsNotServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(fixture);
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.Allow());

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);

        await LoadedAsync(app);
        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
    }

    [Fact]
    public async Task Connect_NoLongerAllowedButKept_IsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var serial = await VisitAsync(fixture);
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.Allow(), configure: static options => options.KeepServingDenied = true);
        await LoadedAsync(app);

        Assert.Equal(serial, (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Connect_SourceIsDown_IsServedFromTheStoreAndNothingIsOrdered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var serial = await VisitAsync(fixture);
        await using var app = await OnDemandApp.StartAsync(fixture, new TestPermission(static _ => IssuanceDecision.Unknown()));

        Assert.Equal(serial, (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber);
        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Delete_ManyByAnotherInstance_AreDroppedTogether()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage(TimeProvider.System);
        await using var app = await OnDemandApp.StartAsync(
            fixture, new TestPermission(static _ => IssuanceDecision.Unknown()), storage: storage);
        var known = app.Services.GetRequiredService<OnDemandNames>();
        var all = Enumerable.Range(0, 100).Select(i => $"n{i}.test").ToList();
        await Poll.UntilAsync(_ => known.IsMarkedAsync(Cancelled), "the first look at the store", cancellationToken: Cancelled);
        foreach (var name in all)
        {
            var record = new OnDemandRecord { Name = name, LastAsked = DateTimeOffset.UnixEpoch };
            await storage.WriteAsync(OnDemandNames.KeyOf(name), OnDemandFile.Encode(record), lease: null, Cancelled);
        }

        await Poll.UntilAsync(() => known.All.Count() == all.Count, () => $"the names\n{app.Log}", cancellationToken: Cancelled);
        foreach (var name in all)
        {
            await storage.DeleteAsync(OnDemandNames.KeyOf(name), lease: null, Cancelled);
        }

        // It takes a second to find out that the store was not emptied: not for each of them.
        await Poll.UntilAsync(() => !known.All.Any(), () => $"all to be forgotten\n{app.Log}", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Connect_GroupWithANameThatIsConfiguredNow_GetsWhatIsAllowedNow()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(
            fixture, new(static name => IssuanceDecision.Allow(new OnDemandCertificate { DomainNames = [name, "later.test"] })));
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), names: "later.test");

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Null(answer.Refusal);
        Assert.Equal(app.Certificates.Find("shop.test")!.SerialNumber, answer.SerialNumber);
        Assert.Equal(["shop.test"], app.Certificates.Find("shop.test")!.DomainNames);
    }

    private static async Task<string> VisitAsync(LocalFixture fixture, TestPermission? permission = null)
    {
        await using var app = await OnDemandApp.StartAsync(fixture, permission ?? TestPermission.AllowAll());
        var serial = (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber;
        await app.StopAsync(Cancelled);
        return serial;
    }

    private static Task LoadedAsync(AcmeApp app)
        => Poll.UntilAsync(
            () => app.Certificates.Find("shop.test")?.SerialNumber is not null,
            () => $"the stored certificate\n{app.Log}",
            cancellationToken: Cancelled);
}
