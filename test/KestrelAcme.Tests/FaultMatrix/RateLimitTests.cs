using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>Whom a rate limit holds up: the name, or the account.</summary>
public sealed class RateLimitTests
{
    [Fact]
    public async Task Start_UnrelatedNamesAreRefused_TheAccountIsHeld()
    {
        var refused = await RefusedOrdersAsync("a.one.test", "a.two.test", "a.three.test", "a.four.test", "a.five.test", "a.six.test");

        Assert.Equal(3, refused);
    }

    [Fact]
    public async Task Restart_TheAccountIsHeld_NoOtherNameIsOrdered()
    {
        await using var local = await LocalFixture.StartAsync();
        local.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(TimeSpan.FromHours(1)), int.MaxValue);
        await using (var first = await StartAsync(local, ["a.one.test", "a.two.test", "a.three.test"]))
        {
            await Poll.UntilAsync(
                () => first.Log.Has("AccountHeld"),
                () => $"the account is held\n{first.Log}",
                cancellationToken: TestContext.Current.CancellationToken);
            await first.StopAsync(TestContext.Current.CancellationToken);
        }

        await using var second = await StartAsync(local, ["a.four.test"]);
        var held = await Assert.ThrowsAsync<CertificateException>(
            () => second.Certificates.RenewAsync("a.four.test", TestContext.Current.CancellationToken));

        Assert.Equal(FailureCause.Authority, held.Failure.Cause);
        Assert.Contains("is not asked before", held.Message, StringComparison.Ordinal);
        Assert.Equal(3, local.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 429 }));
    }

    [Fact]
    public async Task Start_NewAccountIsRefusedAndRestarted_IsAskedForOnce()
    {
        await using var local = await LocalFixture.StartAsync();
        local.Authority.Faults.Inject(ResourceKind.NewAccount, Fault.TooManyRequests(TimeSpan.FromHours(1)), int.MaxValue);
        foreach (var name in new[] { "a.one.test", "a.two.test" })
        {
            await using var app = await StartAsync(local, [name]);
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(name, TestContext.Current.CancellationToken));
            await app.StopAsync(TestContext.Current.CancellationToken);
        }

        Assert.Single(local.Authority.Requests, r => r.Resource == ResourceKind.NewAccount);
    }

    [Fact]
    public async Task Start_NamesOfOneDomainAreRefused_OthersAreStillOrdered()
    {
        var refused = await RefusedOrdersAsync("a.one.test", "b.one.test", "c.one.test", "d.one.test", "e.one.test", "a.two.test");

        Assert.Equal(6, refused);
    }

    [Fact]
    public async Task Start_ThreeHostileDomainsAreLimited_RenewalsAndNewNamesOfOthersGoOn()
    {
        await using var local = await LocalFixture.StartAsync();
        string[] hostile = ["a.one.test", "a.two.test", "a.three.test", "a.four.test"];
        await local.FillStoreAsync("honest.test");
        foreach (var name in hostile)
        {
            local.Authority.Faults.LimitOrders(name, TimeSpan.FromHours(1));
        }

        await using var app = await StartAsync(local, [.. hostile, "honest.test", "new.test"]);
        await Poll.UntilAsync(
            () => app.Log.Has("AccountHeld"),
            () => $"the doubt\n{app.Log}",
            cancellationToken: TestContext.Current.CancellationToken);

        var renewed = await app.Certificates.RenewAsync("honest.test", TestContext.Current.CancellationToken);

        Assert.Equal(CertificateState.Valid, renewed.State);
        Assert.Equal(CertificateState.Valid, (await app.Certificates.RenewAsync("new.test", TestContext.Current.CancellationToken)).State);
        Assert.All(hostile, name => Assert.NotEqual(CertificateState.Valid, app.Certificates.Find(name)!.State));
    }

    [Fact]
    public async Task Start_NewAccountIsRefused_IsAskedForOnce()
    {
        await using var local = await LocalFixture.StartAsync();
        local.Authority.Faults.Inject(ResourceKind.NewAccount, Fault.TooManyRequests(), int.MaxValue);
        string[] names = ["a.one.test", "a.two.test", "a.three.test"];
        await using var app = await StartAsync(local, names);

        await Poll.UntilAsync(
            () => app.Certificates.List().Any(c => c.Failure is not null),
            "a failure",
            cancellationToken: TestContext.Current.CancellationToken);
        foreach (var name in names)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(name, TestContext.Current.CancellationToken));
        }

        Assert.Single(local.Authority.Requests, r => r.Resource == ResourceKind.NewAccount);
    }

    /// <returns>How many names were refused at the authority, when all that would be ordered was.</returns>
    private static async Task<int> RefusedOrdersAsync(params string[] names)
    {
        await using var local = await LocalFixture.StartAsync();
        local.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(TimeSpan.FromHours(1)), int.MaxValue);
        await using var app = await StartAsync(local, names);
        foreach (var name in names)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(name, TestContext.Current.CancellationToken));
        }

        return local.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 429 });
    }

    private static Task<AcmeApp> StartAsync(LocalFixture local, string[] names)
    {
        var settings = local.Settings(names);
        settings["AcmeHttps:MaxConcurrentOrders"] = "1";
        return local.StartAppAsync(settings, configure: builder => builder.Services.AddSingleton(FaultMatrixSettings.Answering));
    }
}
