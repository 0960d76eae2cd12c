using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What is stored is served from the first connection on, however much there is and however it is grouped now.</summary>
public sealed class LoadingTests
{
    private const int Many = 300;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_ManyAreStillBeingRead_AConnectionGetsItsOwnAtOnce()
    {
        var inner = new InMemoryStorage(TimeProvider.System);
        var names = Enumerable.Range(0, Many).Select(i => $"m{i}.test").ToArray();
        await Task.WhenAll(new[] { names[0], names[^2], names[^1] }.Select(n => StoredCertificates.WriteAsync(inner, n, state: null, n)));
        var storage = new GatedStorage(inner);
        await using var app = await AcmeApp.StartAsync(StoredCertificates.Settings(names), storage: storage, cancellationToken: Cancelled);

        Assert.Equal($"CN={names[^1]}", (await app.ConnectAsync(names[^1], Cancelled)).Leaf.Subject);
        Assert.Null(app.Certificates.Find(names[^2])!.SerialNumber);
        Assert.False(app.Log.Has("OrderStarted"));

        // The batch that holds the first name is under way: its connection waits for that.
        var waiting = app.ConnectAsync(names[0], Cancelled);
        storage.Open();
        Assert.Equal($"CN={names[0]}", (await waiting).Leaf.Subject);
        await Poll.UntilAsync(
            () => app.Certificates.Find(names[^2])!.SerialNumber is not null, "the rest was read", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Start_ManyAreStillBeingRead_NothingIsPlannedForWhatIsUnread()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (inner, names) = await FilledAsync();
        var storage = new GatedStorage(inner);
        var settings = fixture.Settings(names);
        settings.Remove("AcmeHttps:StoragePath");
        await using var app = await fixture.StartAppAsync(settings, storage: storage);
        await app.ConnectAsync(names[^1], Cancelled);
        storage.Open();
        await Poll.UntilAsync(
            () => app.Certificates.List().All(c => c.SerialNumber is not null), "everything was read", cancellationToken: Cancelled);

        // The engine runs, and makes this one order only.
        await app.Certificates.RenewAsync(names[5], Cancelled);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Restart_NamesAreGroupedAnew_TheOldCertificatesAreServedUntilTheNewOneExists()
    {
        await using var fixture = await LocalFixture.StartAsync();
        string serial;
        await using (var first = await fixture.StartAppAsync(fixture.Settings("a.test")))
        {
            await first.ObtainedAsync("a.test");
            serial = (await first.ConnectAsync("a.test", Cancelled)).SerialNumber;
            await first.StopAsync(Cancelled);
        }

        fixture.Authority.Faults.FailValidation("b.test");
        var settings = fixture.Settings();
        settings.AddGroup("a.test", "b.test");
        await using var second = await fixture.StartAppAsync(settings);
        Assert.Equal(serial, (await second.ConnectAsync("a.test", Cancelled)).SerialNumber);
        Assert.Null(second.Certificates.Find("a.test")!.SerialNumber);
        Assert.True(second.Log.Has("RetiredCertificateServed"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Restart_NamesAreGroupedAnew_ARevokedCertificateIsNotServedAgain(bool revoked)
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        var state = revoked
            ? CertificateStateRecord.Empty with
            {
                Revocation = new RevocationRecord("", TimeProvider.System.GetUtcNow(), OnPurpose: false, Reason: null),
            }
            : null;
        await StoredCertificates.WriteAsync(storage, "a.test", state, "a.test");
        var settings = StoredCertificates.Settings().AddGroup("a.test", "b.test");
        await using var app = await AcmeApp.StartAsync(settings, storage: storage, cancellationToken: Cancelled);
        Assert.Equal(revoked, (await app.ConnectAsync("a.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Restart_AnotherKindOfKey_TheNewCertificateIsServedOnceItExists()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync("a.test");

        var settings = fixture.Settings("a.test");
        settings["AcmeHttps:KeyAlgorithm"] = "Rsa2048";
        await using var second = await fixture.ServeAsync(settings);
        Assert.True(second.Log.Has("RetiredCertificateServed"));
        Assert.Equal(second.Certificates.Find("a.test")!.SerialNumber, (await second.ConnectAsync("a.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Restart_NameRemovedFromAGroup_IsForeign()
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        await StoredCertificates.WriteAsync(storage, "a.test+1-00000000", state: null, "a.test", "gone.test");
        await using var app = await AcmeApp.StartAsync(
            StoredCertificates.Settings("a.test"), storage: storage, cancellationToken: Cancelled);
        Assert.Equal("CN=a.test", (await app.ConnectAsync("a.test", Cancelled)).Leaf.Subject);
        Assert.NotNull((await app.ConnectAsync("gone.test", Cancelled)).Refusal);
    }

    [Fact]
    public async Task Restart_WildcardBecomesOneName_TheWildcardIsServedForItAlone()
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        await StoredCertificates.WriteAsync(storage, "_.example.test", state: null, "*.example.test");
        await using var app = await AcmeApp.StartAsync(
            StoredCertificates.Settings("www.example.test"), storage: storage, cancellationToken: Cancelled);
        Assert.Equal("CN=*.example.test", (await app.ConnectAsync("www.example.test", Cancelled)).Leaf.Subject);
        Assert.NotNull((await app.ConnectAsync("other.example.test", Cancelled)).Refusal);
    }

    [Theory]
    [InlineData("Automatic")]
    [InlineData("ServeOnly")]
    public async Task Start_OneValueHasNullWhereNoneMayBe_AllAreServed(string issuance)
    {
        var (storage, names) = await FilledAsync();
        var text = Encoding.UTF8.GetString((await storage.ReadAsync("certificates/m5.test.pem", Cancelled))!.Value.Span);
        var damaged = text.Replace("\"accountUrl\":\"https://127.0.0.1:1/account/1\"", "\"accountUrl\":null", StringComparison.Ordinal);
        Assert.NotEqual(text, damaged);
        await storage.WriteAsync("certificates/m5.test.pem", Encoding.UTF8.GetBytes(damaged), lease: null, Cancelled);
        var settings = StoredCertificates.Settings(names);
        settings["AcmeHttps:Issuance"] = issuance;
        await using var app = await AcmeApp.StartAsync(settings, storage: storage, cancellationToken: Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.List().Count(c => c.SerialNumber is not null) == Many, "all were read", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Start_OneReadNeverEnds_TheOthersAreServedAndNamesCanBeAdded()
    {
        var (inner, names) = await FilledAsync();
        var storage = new GatedStorage(inner) { Holds = static keys => keys.Contains("certificates/m5.test.pem") };
        await using var app = await AcmeApp.StartAsync(
            StoredCertificates.Settings(names),
            configure: builder => builder.Services.AddSingleton(new IssuanceSettings { LoadTime = TimeSpan.FromSeconds(1) }),
            storage: storage,
            cancellationToken: Cancelled);

        await app.Certificates.AddDomainsAsync(["new.test"], Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.List().Count(c => c.SerialNumber is not null) == Many - 1,
            "all others were read",
            cancellationToken: Cancelled);
        Assert.NotNull(app.Certificates.Find("new.test"));
    }

    [Fact]
    public async Task Start_StoreFailsAtFirst_IsReadWhenItIsBack()
    {
        var inner = new InMemoryStorage(TimeProvider.System);
        await StoredCertificates.WriteAsync(inner, "a.test", state: null, "a.test");
        var fails = true;
        var storage = new FailingStorage(inner) { Unreadable = _ => fails };
        var settings = StoredCertificates.Settings("a.test");
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await AcmeApp.StartAsync(settings, storage: storage, cancellationToken: Cancelled);
        Assert.True((await app.ConnectAsync("a.test", Cancelled)).IsSelfSigned);
        fails = false;
        await Poll.UntilAsync(() => app.Certificates.Find("a.test")!.SerialNumber is not null, "it was read", cancellationToken: Cancelled);
        Assert.False((await app.ConnectAsync("a.test", Cancelled)).IsSelfSigned);
    }

    /// <summary>A store with more certificates than are read before the start goes on.</summary>
    private static async Task<(InMemoryStorage Storage, string[] Names)> FilledAsync()
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        var names = Enumerable.Range(0, Many).Select(i => $"m{i}.test").ToArray();
        await Task.WhenAll(names.Select(n => StoredCertificates.WriteAsync(storage, n, state: null, n)));
        return (storage, names);
    }
}
