using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Revocation;
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
        await using var app = await AcmeApp.StartAsync(StoredCertificates.Settings(names), acme => acme.UseStorage(_ => storage), cancellationToken: Cancelled);

        Assert.Equal($"CN={names[^1]}", (await app.ConnectAsync(names[^1], Cancelled)).Leaf.Subject);
        Assert.Null(app.Certificates.Find(names[^2])!.SerialNumber);
        Assert.False(app.Log.Has("OrderStarted"));

        // The batch that holds the first name is under way: its connection waits for that.
        var waiting = app.ConnectAsync(names[0], Cancelled);
        storage.Open();
        Assert.Equal($"CN={names[0]}", (await waiting).Leaf.Subject);
        await Poll.UntilAsync(() => app.Certificates.Find(names[^2])!.SerialNumber is not null, "the rest was read", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Start_ManyAreStillBeingRead_NothingIsPlannedForWhatIsUnread()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var inner = new InMemoryStorage(TimeProvider.System);
        var names = Enumerable.Range(0, Many).Select(i => $"m{i}.test").ToArray();
        foreach (var name in names)
        {
            await StoredCertificates.WriteAsync(inner, name, state: null, name);
        }

        var storage = new GatedStorage(inner);
        var settings = fixture.Settings(names);
        settings.Remove("AcmeHttps:StoragePath");
        await using var app = await fixture.StartAppAsync(settings, acme => acme.UseStorage(_ => storage));
        await app.ConnectAsync(names[^1], Cancelled);
        storage.Open();
        await Poll.UntilAsync(() => app.Certificates.List().All(c => c.SerialNumber is not null), "everything was read", cancellationToken: Cancelled);

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
            await LocalFixture.ObtainedAsync(first, "a.test");
            serial = (await first.ConnectAsync("a.test", Cancelled)).SerialNumber;
            await first.StopAsync(Cancelled);
        }

        fixture.Authority.Faults.FailValidation("b.test");
        var settings = fixture.Settings();
        settings["AcmeHttps:Certificates:0:DomainNames:0"] = "a.test";
        settings["AcmeHttps:Certificates:0:DomainNames:1"] = "b.test";
        await using var second = await fixture.StartAppAsync(settings);
        Assert.Equal(serial, (await second.ConnectAsync("a.test", Cancelled)).SerialNumber);
        Assert.Null(second.Certificates.Find("a.test")!.SerialNumber);
        Assert.True(second.Log.Has("SupersededCertificateServed"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Restart_NamesAreGroupedAnew_ARevokedCertificateIsNotServedAgain(bool revoked)
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        var state = revoked ? CertificateStateRecord.Empty with { Revocation = new RevocationRecord("", TimeProvider.System.GetUtcNow(), OnPurpose: false, Reason: null) } : null;
        await StoredCertificates.WriteAsync(storage, "a.test", state, "a.test");
        var settings = StoredCertificates.Settings();
        settings["AcmeHttps:Certificates:0:DomainNames:0"] = "a.test";
        settings["AcmeHttps:Certificates:0:DomainNames:1"] = "b.test";
        await using var app = await AcmeApp.StartAsync(settings, acme => acme.UseStorage(_ => storage), cancellationToken: Cancelled);
        Assert.Equal(revoked, (await app.ConnectAsync("a.test", Cancelled)).IsSelfSigned);
    }
}
