using System.Collections.Concurrent;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>What strangers can make an application with certificates on demand do, and what not.</summary>
public sealed class LimitTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_OverTheHourlyLimit_IsRefusedAlsoAfterARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using (var app = await StartAsync(fixture))
        {
            Assert.Null((await app.ConnectAsync("one.test", Cancelled)).Refusal);
            Assert.Null((await app.ConnectAsync("two.test", Cancelled)).Refusal);
            Assert.NotNull((await app.ConnectAsync("three.test", Cancelled)).Refusal);
            Assert.Null((await app.ConnectAsync("one.test", Cancelled)).Refusal);
            await app.StopAsync(Cancelled);
        }

        await using var again = await StartAsync(fixture);
        Assert.NotNull((await again.ConnectAsync("four.test", Cancelled)).Refusal);
        Assert.Null((await again.ConnectAsync("two.test", Cancelled)).Refusal);
        Assert.Equal(2, OrdersAt(fixture));

        static Task<AcmeApp> StartAsync(LocalFixture fixture)
            => OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), configure: static options => options.MaxNewNamesPerHour = 2);
    }

    [Fact]
    public async Task Connect_LimitIsReachedAndAnotherInstanceAdmittedTheName_IsServed()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, new FailingStorage(storage) { TellsChanges = false });
        Assert.Null((await app.ConnectAsync("one.test", Cancelled)).Refusal);
        await using var other = await StartAsync(fixture, storage);
        Assert.Null((await other.ConnectAsync("two.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("three.test", Cancelled)).Refusal);

        Assert.Null((await app.ConnectAsync("two.test", Cancelled)).Refusal);
        Assert.Equal(2, OrdersAt(fixture));

        static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage)
            => OnDemandApp.StartAsync(
                fixture, TestPermission.AllowAll(), configure: static options => options.MaxNewNamesPerHour = 2, storage: storage);
    }

    [Fact]
    public async Task Connect_LeaseOfTheLimitsIsLostBeforeANameIsStored_IsServedAndCountedOnce()
    {
        var losses = 0;
        var storage = new FailingStorage(new InMemoryStorage())
        {
            Unwritable = key => key.StartsWith(StorageLayout.OnDemandPrefix, StringComparison.Ordinal)
                && key != StorageLayout.OnDemandMark && Interlocked.Increment(ref losses) == 1,
            Failure = static _ => new LeaseLostException(StorageLayout.OnDemandLease),
        };
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.AllowAll(), configure: static options => options.MaxNewNamesPerHour = 2, storage: storage);

        Assert.Null((await app.ConnectAsync("one.test", Cancelled)).Refusal);
        Assert.Null((await app.ConnectAsync("two.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("three.test", Cancelled)).Refusal);

        Assert.InRange(losses, 2, int.MaxValue);
        Assert.Equal(2, OrdersAt(fixture));
    }

    [Fact]
    public async Task Connect_NameWithoutAddress_IsNotOrdered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(
            fixture,
            TestPermission.AllowAll(),
            static settings =>
            {
                settings["AcmeHttps:OnDemand:CheckAddress"] = "true";
                settings["AcmeHttps:DnsResolvers:0"] = "127.0.0.1:9";
            });

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);

        Assert.Equal(0, OrdersAt(fixture));
        Assert.Contains(app.Services.GetRequiredService<DeniedNames>().Latest, refused => refused.Name == "shop.test");
    }

    [Fact]
    public async Task Connect_MoreThanMayWait_AreRefusedAtOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.AllowAll(), configure: static options => options.MaxWaiting = 2);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var gate = app.Services.GetRequiredService<OnDemandGate>();
        var waiting = Enumerable.Range(0, 2).Select(_ => app.ConnectAsync("shop.test", enough.Token)).ToList();
        await Poll.UntilAsync(() => gate.Waiting == 2, "two connections wait", cancellationToken: Cancelled);

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);

        await enough.CancelAsync();
        await Poll.UntilAsync(() => gate.Waiting == 0, "clients that are gone do not wait", cancellationToken: Cancelled);
        foreach (var client in waiting)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client);
        }
    }

    [Fact]
    public async Task Connect_ScannerMeanwhile_CostsNoOrderAndACustomerIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.Allow("shop.test"), configure: static options => options.Wait = TimeSpan.FromMinutes(2));
        var gate = app.Services.GetRequiredService<OnDemandGate>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var scanned = new ConcurrentQueue<bool>();
        var scanners = Enumerable.Range(0, 8).Select(async scanner =>
        {
            for (var i = 0; !over.IsCancellationRequested; i++)
            {
                scanned.Enqueue(await gate.WaitAsync($"n{scanner}x{i}.test", null, 500, CancellationToken.None));
                await Task.Yield(); // A refusal comes at once: without this, eight of the pool's threads would do nothing else.
            }
        }).ToList();
        await Poll.UntilAsync(() => scanned.Count > 20_000, "the scanner has tried many names", cancellationToken: Cancelled);

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        await over.CancelAsync();
        await Task.WhenAll(scanners);
        Assert.Null(answer.Refusal);
        Assert.False(answer.IsSelfSigned);
        Assert.DoesNotContain(true, scanned);
        Assert.Equal(1, OrdersAt(fixture));
        Assert.Equal(0, gate.Flights);
        Assert.InRange(app.Services.GetRequiredService<DeniedNames>().Count, 1, 2 * (DeniedNames.MaxNames + 16));
        Assert.DoesNotContain(app.Log.Lines, line => line.ToString().Contains("n1x5.test", StringComparison.Ordinal));
    }

    [Fact]
    [Long]
    public async Task Connect_ThousandNamesByFourThousandClients_IsAThousandOrders()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(
            fixture,
            TestPermission.AllowAll(),
            static settings => settings["AcmeHttps:MaxConcurrentOrders"] = "16",
            static options =>
            {
                options.Wait = TimeSpan.FromMinutes(5);
                options.MaxWaiting = 5000;
                (options.MaxNewNamesPerHour, options.MaxNewNamesPerDay) = (10_000, 10_000);
                (options.MaxNewNamesPerClientNetwork, options.MaxNewNamesPerRegisteredDomain) = (10_000, 10_000);
            });
        var gate = app.Services.GetRequiredService<OnDemandGate>();

        var served = await Task.WhenAll(
            Enumerable.Range(0, 4000).Select(i => gate.WaitAsync($"n{i % 1000}.test", null, 500, CancellationToken.None)));

        Assert.Empty(app.Services.GetRequiredService<DeniedNames>().Latest);
        Assert.DoesNotContain(false, served);
        Assert.Equal(1000, OrdersAt(fixture));
        Assert.Equal(1000, fixture.Authority.Issued.Count);
    }

    private static int OrdersAt(LocalFixture fixture)
        => fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });
}
