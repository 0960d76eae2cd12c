using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>The life of a name on demand: it is forgotten, denied, resumed after a crash, and shared by all instances.</summary>
public sealed class LifeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Forget_Name_IsGoneWithItsFilesAndStartsAnew()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), names: "app.test");
        await app.ObtainedAsync("app.test");
        var serial = (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber;
        await app.Certificates.RevokeAsync("shop.test", RevocationReason.CessationOfOperation, Cancelled);

        Assert.True(await app.Certificates.ForgetAsync("shop.test", Cancelled));
        Assert.False(await app.Certificates.ForgetAsync("shop.test", Cancelled));
        Assert.False(await app.Certificates.ForgetAsync("app.test", Cancelled));

        Assert.Null(app.Certificates.Find("shop.test"));
        Assert.NotNull(app.Certificates.Find("app.test"));
        var limits = await File.ReadAllTextAsync(Assert.Single(FilesOf(fixture, "shop.test")), Cancelled);
        Assert.DoesNotContain("rivateKey", limits, StringComparison.Ordinal);
        Assert.NotEmpty(FilesOf(fixture, "app.test"));
        Assert.NotEqual(serial, (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber);
        await app.ObtainedAsync("shop.test");

        // The CA has counted both.
        Assert.Equal(2, app.Services.GetRequiredService<CertificateCatalog>().Find("shop.test")!.State.Issued!.Length);
    }

    [Fact]
    public async Task Sweep_NobodyCameForLong_ForgetsTheNameAfterTwoWeeksOfRounds()
    {
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(fixture);
        time.Ahead = TimeSpan.FromDays(61);
        await using var app = await RestartAsync(fixture, TestPermission.AllowAll(), time);
        var life = app.Services.GetRequiredService<OnDemandLife>();

        for (var day = 0; day < 14; day++, time.Ahead += TimeSpan.FromDays(1))
        {
            await life.SweepAsync(Cancelled);
            Assert.NotNull(app.Certificates.Find("shop.test"));
        }

        // An order may hold the lease for a moment; the next sweep tries again.
        await Poll.UntilAsync(
            async _ =>
            {
                await life.SweepAsync(Cancelled);
                return app.Certificates.Find("shop.test") is null;
            },
            () => $"the name is forgotten\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Empty(FilesOf(fixture, "shop.test"));
    }

    /// <summary>The instance that orders decides about the records, certificates and keys that all share.</summary>
    [Fact]
    public async Task Sweep_InstanceServesOnly_ForgetsNothing()
    {
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(fixture);
        var files = FilesOf(fixture, "shop.test");
        time.Ahead = TimeSpan.FromDays(61);
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.AllowAll(), settings => settings["AcmeHttps:Issuance"] = "ServeOnly", time: time);
        await Poll.UntilAsync(
            () => app.Certificates.Find("shop.test") is not null, () => $"the stored name\n{app.Log}", cancellationToken: Cancelled);
        var life = app.Services.GetRequiredService<OnDemandLife>();

        for (var day = 0; day < 20; day++, time.Ahead += TimeSpan.FromDays(1))
        {
            await life.SweepAsync(Cancelled);
        }

        Assert.NotNull(app.Certificates.Find("shop.test"));
        Assert.Equal(files, FilesOf(fixture, "shop.test"));
        var record = files.Single(f => f.Contains("on-demand", StringComparison.Ordinal));
        Assert.Null(OnDemandFile.Decode(await File.ReadAllBytesAsync(record, Cancelled)).Quiet);
    }

    /// <summary>While it is denied, its certificate is not renewed.</summary>
    [Fact]
    public async Task Connect_AllowedAgainAfterItsCertificateExpired_WaitsForANewOne()
    {
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync(options => options.TimeProvider = time);
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission, time: time);
        Assert.Null((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        permission.Decide = static _ => IssuanceDecision.Deny();
        var name = app.Services.GetRequiredService<OnDemandNames>().Find("shop.test")!;
        await app.Services.GetRequiredService<OnDemandIssuance>().CheckAsync(name, Cancelled);
        time.Ahead = TimeSpan.FromDays(100);

        permission.Decide = static _ => IssuanceDecision.Allow();
        app.Services.GetRequiredService<DeniedNames>().Forget("shop.test");
        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Null(answer.Refusal);
        Assert.True(answer.Leaf.NotAfter > time.GetUtcNow(), $"It expired on {answer.Leaf.NotAfter:u}.\n{app.Log}");
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    /// <summary>A name that nobody comes for is not renewed. Who comes at last must not get what has expired.</summary>
    [Fact]
    public async Task Connect_ExpiredWhileNobodyCame_WaitsForANewOne()
    {
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync(options => options.TimeProvider = time);
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), time: time);
        Assert.Null((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        await app.ObtainedAsync("shop.test");
        time.Ahead = TimeSpan.FromDays(100);

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Null(answer.Refusal);
        Assert.True(answer.Leaf.NotAfter > time.GetUtcNow(), $"It expired on {answer.Leaf.NotAfter:u}.\n{app.Log}");
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    /// <summary>Its certificate is ordered, and kept, because of visits. The doctor promises to order nothing.</summary>
    [Fact]
    public async Task Diagnose_NameOnDemand_IsNoVisit()
    {
        const string name = "shop.localhost";
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync(options => options.TimeProvider = time);
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission, time: time);
        Assert.Null((await app.ConnectAsync(name, Cancelled)).Refusal);
        await app.ObtainedAsync(name);
        var known = app.Services.GetRequiredService<OnDemandNames>().Find(name)!;
        var certificates = app.Services.GetRequiredService<OnDemandCertificates>();
        var used = certificates.LastUsed(known);

        await app.Certificates.DiagnoseAsync(Cancelled);
        Assert.Equal(used, certificates.LastUsed(known));

        certificates.Withhold(known);
        time.Ahead = TimeSpan.FromDays(100);
        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        Assert.Contains(report.Findings, f => f is { Check: "dns", Name: name });
        Assert.Single(permission.Asked);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Sweep_StoredCertificateCannotBeRead_KeepsEverything()
    {
        var time = new ShiftedTimeProvider();
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(fixture);
        var files = FilesOf(fixture, "shop.test");
        time.Ahead = TimeSpan.FromDays(40);
        using var folder = new FileSystemStorage(fixture.StorePath, TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        var storage = new FailingStorage(folder)
        {
            Unreadable = static key => key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal),
        };
        await using var app = await RestartAsync(fixture, TestPermission.AllowAll(), time, storage);
        var life = app.Services.GetRequiredService<OnDemandLife>();

        for (var day = 0; day < 18; day++, time.Ahead += TimeSpan.FromDays(1))
        {
            await life.SweepAsync(Cancelled);
        }

        Assert.NotNull(app.Certificates.Find("shop.test"));
        Assert.Equal(files, FilesOf(fixture, "shop.test"));
    }

    [Fact]
    public async Task Connect_DeniedBeforeTheRestart_IsRefusedWhileTheSourceIsDown()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await VisitAsync(fixture);
        await using (var denying = await RestartAsync(fixture, TestPermission.Allow()))
        {
            Assert.NotNull((await denying.ConnectAsync("shop.test", Cancelled)).Refusal);
            await denying.StopAsync(Cancelled);
        }

        var permission = new TestPermission(static _ => IssuanceDecision.Unknown());
        await using var app = await RestartAsync(fixture, permission);

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);
        Assert.Equal(["shop.test", "other.test"], permission.Asked);
    }

    [Fact]
    public async Task Check_NameIsDeniedMeanwhile_IsNoLongerServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission);
        await app.ConnectAsync("shop.test", Cancelled);
        permission.Decide = static _ => IssuanceDecision.Deny();
        var name = app.Services.GetRequiredService<OnDemandNames>().Find("shop.test")!;

        await app.Services.GetRequiredService<OnDemandIssuance>().CheckAsync(name, Cancelled);

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.True(app.Log.Has("OnDemandNameDenied"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => app.Certificates.RenewAsync("shop.test", Cancelled));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Connect_MappedName_IsServedByTheWildcard()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.Allow("one.shop.test");
        await using var app = await OnDemandApp.StartAsync(
            fixture,
            permission,
            configure: static options =>
            {
                options.AllowWildcards = true;
                options.SubjectMapping = ["*.shop.test"];
            });

        // The local authority validates a wildcard only by DNS: what counts is what was ordered.
        await app.ConnectAsync("two.shop.test", Cancelled);
        Assert.Empty(app.Certificates.List());
        var waiting = app.ConnectAsync("one.shop.test", Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.Find("*.shop.test") is not null, "the wildcard is managed", cancellationToken: Cancelled);

        await waiting;
        Assert.Single(app.Certificates.List());
        var name = app.Services.GetRequiredService<OnDemandNames>().Find("*.shop.test")!;

        // A stranger's name says nothing about the wildcard, which the permission does not know.
        await app.ConnectAsync("three.shop.test", Cancelled);
        await app.Services.GetRequiredService<OnDemandIssuance>().CheckAsync(name, Cancelled);
        Assert.False(name.IsDenied);
        Assert.DoesNotContain("*.shop.test", permission.Asked);

        permission.Decide = static _ => IssuanceDecision.Deny();
        await app.Services.GetRequiredService<OnDemandIssuance>().CheckAsync(name, Cancelled);
        Assert.True(name.IsDenied);
    }

    [Fact]
    public async Task Connect_TwoInstances_ShareOneOrderAndTheLimits()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage(TimeProvider.System);
        await using var one = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage);
        await using var two = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage);

        var answers = await Task.WhenAll(one.ConnectAsync("shop.test", Cancelled), two.ConnectAsync("shop.test", Cancelled));

        Assert.True(answers[0].SerialNumber == answers[1].SerialNumber, $"one:\n{one.Log}\ntwo:\n{two.Log}");
        Assert.Single(fixture.Authority.Issued);
        Assert.Equal(1, fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
    }

    [Fact]
    public async Task Connect_AnotherInstanceOrders_DoesNotWaitForMaintenance()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        var storage = new InMemoryStorage(TimeProvider.System);

        // It only learns from the store that the other one is done, and all that polls for renewal information is busy.
        var issuance = QuickIssuance.Settings with { LeasePoll = TimeSpan.FromMinutes(1), MaxMaintenance = 0 };
        await using var one = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage);
        await using var two = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage, issuance: issuance);
        var first = one.ConnectAsync("shop.test", Cancelled);
        await Poll.UntilAsync(() => fixture.PostedChallenges > 0, () => $"the order\n{one.Log}", cancellationToken: Cancelled);
        var second = two.ConnectAsync("shop.test", Cancelled);
        await Poll.UntilAsync(() => two.Log.Has("OrderedElsewhere"), () => $"the lease\n{two.Log}", cancellationToken: Cancelled);

        fixture.Authority.Faults.ValidationStuck = false;

        Assert.Equal((await first).SerialNumber, (await second).SerialNumber);
        Assert.Null((await second).Refusal);
        var gate = two.Services.GetRequiredService<OnDemandGate>();
        await Poll.UntilAsync(() => gate.Flights == 0, () => $"nobody to wait\n{two.Log}", cancellationToken: Cancelled);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Deny_AtOneInstance_CountsForAllAndIsNotTakenBack()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage(TimeProvider.System);
        var permission = TestPermission.AllowAll();
        await using var one = await OnDemandApp.StartAsync(fixture, permission, storage: storage);
        await using var two = await OnDemandApp.StartAsync(fixture, TestPermission.Allow(), storage: storage);
        await one.ConnectAsync("shop.test", Cancelled);
        var (names, key) = (one.Services.GetRequiredService<OnDemandNames>(), OnDemandNames.KeyOf("shop.test"));
        await Poll.UntilAsync(
            () => two.Services.GetRequiredService<OnDemandNames>().Find("shop.test") is not null, "the name", cancellationToken: Cancelled);

        Assert.NotNull((await two.ConnectAsync("shop.test", Cancelled)).Refusal);
        await Poll.UntilAsync(() => names.Find("shop.test")!.IsDenied, () => $"the denial\n{one.Log}", cancellationToken: Cancelled);
        await one.Services.GetRequiredService<OnDemandLife>().SweepAsync(Cancelled);

        Assert.NotNull(OnDemandFile.Decode((await storage.ReadAsync(key, Cancelled))!.Value.Span).DeniedAt);
        permission.Decide = static _ => IssuanceDecision.Unknown();
        Assert.NotNull((await one.ConnectAsync("shop.test", Cancelled)).Refusal);
        permission.Decide = static _ => IssuanceDecision.Allow();
        one.Services.GetRequiredService<DeniedNames>().Forget("shop.test");
        Assert.Null((await one.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    [Long]
    public async Task Kill_WhileAClientWaits_TheOrderIsResumedAtTheNextStart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        await using var source = builder.Build();
        var asks = $"http://127.0.0.1:{FreePort.Tcp()}";
        source.Urls.Add(asks);
        source.MapGet("/ask", static () => "yes");
        await source.StartAsync(Cancelled);
        var port = FreePort.Tcp();
        fixture.Authority.Resolve("*", new IPEndPoint(IPAddress.Loopback, port));
        var settings = fixture.Settings();
        settings["AcmeHttps:OnDemand:CheckAddress"] = "false";
        settings["AcmeHttps:OnDemand:AskUrl"] = $"{asks}/ask";
        await using (var killed = TestAppProcess.Start(settings, port, killAt: OrderActivities.StoreOrderUrl))
        {
            await killed.ListeningAsync();
            _ = killed.ConnectAsync("shop.test").ContinueWith(static task => task.Exception, TaskScheduler.Default);
            await killed.KilledAsync();
        }

        await using var app = TestAppProcess.Start(settings, port);
        await app.ListeningAsync();
        await Poll.UntilAsync(() => fixture.Authority.Issued.Count == 1, () => app.Output, cancellationToken: Cancelled);

        var answer = await app.ConnectAsync("shop.test");
        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, answer.SerialNumber);
        Assert.Equal(1, fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
    }

    private static async Task VisitAsync(LocalFixture fixture)
    {
        await using var app = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll());
        Assert.Null((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        await app.StopAsync(Cancelled);
    }

    // Returns when the name is known again.
    private static async Task<AcmeApp> RestartAsync(
        LocalFixture fixture, TestPermission permission, TimeProvider? time = null, IAcmeStorage? storage = null)
    {
        var app = await OnDemandApp.StartAsync(fixture, permission, storage: storage, time: time);
        await Poll.UntilAsync(
            () => app.Certificates.Find("shop.test") is not null, () => $"the stored name\n{app.Log}", cancellationToken: Cancelled);
        return app;
    }

    private static List<string> FilesOf(LocalFixture fixture, string name)
        => [.. Directory.EnumerateFiles(fixture.StorePath, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file).StartsWith(name, StringComparison.Ordinal)
                && !file.Contains('~', StringComparison.Ordinal)
                && !file.Contains("revoked", StringComparison.Ordinal))];
}
