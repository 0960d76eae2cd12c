using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>An instance that orders nothing: it serves the names that the others admitted, and admits none.</summary>
public sealed class ServeOnlyTests
{
    private const string Name = "shop.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_NobodyAdmittedTheName_IsRefusedAtOnceAndNotStored()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage(TimeProvider.System);
        await using var app = await StartAsync(fixture, storage);

        Assert.NotNull((await app.ConnectAsync(Name, Cancelled)).Refusal);

        var refused = Assert.Single(RefusedBy(app));
        Assert.Equal(Name, refused.Name);
        Assert.StartsWith("no other instance has admitted it, ", refused.Reason, StringComparison.Ordinal);
        Assert.Contains("ServeOnly", refused.Reason, StringComparison.Ordinal);
        Assert.Null(await storage.ReadAsync(OnDemandNames.KeyOf(Name), Cancelled));
        Assert.Empty(app.Certificates.List());
    }

    [Fact]
    public async Task Connect_AnotherInstanceOrders_WaitsForItsCertificate()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        var storage = new InMemoryStorage(TimeProvider.System);
        await using var serving = await StartAsync(fixture, storage);
        await using var ordering = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage);
        var first = ordering.ConnectAsync(Name, Cancelled);
        await Poll.UntilAsync(() => fixture.PostedChallenges > 0, () => $"the order\n{ordering.Log}", cancellationToken: Cancelled);

        var second = serving.ConnectAsync(Name, Cancelled);
        var gate = serving.Services.GetRequiredService<OnDemandGate>();
        await Poll.UntilAsync(() => gate.Waiting > 0, () => $"the client\n{serving.Log}", cancellationToken: Cancelled);
        fixture.Authority.Faults.ValidationStuck = false;

        Assert.Null((await second).Refusal);
        Assert.Equal((await first).SerialNumber, (await second).SerialNumber);
        Assert.Empty(RefusedBy(serving));
        Assert.Equal(1, fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
    }

    [Fact]
    public async Task Connect_RefusedBeforeAnotherInstanceAdmittedIt_IsServedAfterwards()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage(TimeProvider.System);
        await using var serving = await StartAsync(fixture, storage);
        await using var ordering = await OnDemandApp.StartAsync(fixture, TestPermission.AllowAll(), storage: storage);
        Assert.NotNull((await serving.ConnectAsync(Name, Cancelled)).Refusal);

        var serial = (await ordering.ConnectAsync(Name, Cancelled)).SerialNumber;
        var names = serving.Services.GetRequiredService<OnDemandNames>();
        await Poll.UntilAsync(() => names.Find(Name) is not null, () => $"the name\n{serving.Log}", cancellationToken: Cancelled);

        Assert.Equal(serial, (await serving.ConnectAsync(Name, Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Connect_NameIsAdmittedAndNobodyOrders_WaitsOnlyInTheFirstMinutes()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (storage, time) = (new InMemoryStorage(TimeProvider.System), new MovedTime());
        var record = new OnDemandRecord { Name = Name, FirstAsked = time.GetUtcNow(), LastAsked = time.GetUtcNow() };
        await storage.WriteAsync(OnDemandNames.KeyOf(Name), OnDemandFile.Encode(record), lease: null, Cancelled);
        await using var app = await StartAsync(fixture, storage, time);
        var names = app.Services.GetRequiredService<OnDemandNames>();
        await Poll.UntilAsync(() => names.Find(Name) is not null, () => $"the name\n{app.Log}", cancellationToken: Cancelled);
        var gate = app.Services.GetRequiredService<OnDemandGate>();

        var first = app.ConnectAsync(Name, Cancelled);
        await Poll.UntilAsync(() => gate.Waiting > 0, () => $"the client\n{app.Log}", cancellationToken: Cancelled);
        time.Move(TimeSpan.FromMinutes(3));

        Assert.True(IsWithoutCertificate(await first));
        Assert.True(IsWithoutCertificate(await app.ConnectAsync(Name, Cancelled)));
        Assert.All(
            RefusedBy(app),
            refused => Assert.StartsWith("no other instance has obtained its certificate yet, ", refused.Reason, StringComparison.Ordinal));
        Assert.NotEmpty(RefusedBy(app));
    }

    private static bool IsWithoutCertificate(TlsAnswer answer) => answer.Refusal is not null || answer.IsSelfSigned;

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, InMemoryStorage storage, TimeProvider? time = null)
        => OnDemandApp.StartAsync(
            fixture,
            TestPermission.AllowAll(),
            static settings => settings["AcmeHttps:Issuance"] = "ServeOnly",
            storage: storage,
            time: time);

    private static IReadOnlyList<RefusedVisit> RefusedBy(AcmeApp app) => app.Services.GetRequiredService<DeniedNames>().Latest;

    /// <summary>The system clock, whose timestamps a test moves ahead.</summary>
    private sealed class MovedTime : TimeProvider
    {
        private long _ahead;

        public void Move(TimeSpan time) => Interlocked.Add(ref _ahead, (long)(time.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
    }
}
