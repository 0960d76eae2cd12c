using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class RevocationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Revoke_KeyCompromise_ReplacesAtOnceWithANewKeyAndKeepsTheOldAside()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var before = await app.ConnectAsync("app.test", Cancelled);

        await app.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);

        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.SerialNumber != before.SerialNumber,
            "a successor",
            cancellationToken: Cancelled);
        var after = await app.ConnectAsync("app.test", Cancelled);
        Assert.NotEqual(before.Leaf.GetPublicKeyString(), after.Leaf.GetPublicKeyString());
        Assert.Equal(before.SerialNumber, Assert.Single(fixture.Authority.Revoked).SerialNumber, ignoreCase: true);
        Assert.Single(Directory.GetFiles(Path.Combine(fixture.StorePath, "revoked")));
    }

    [Fact]
    public async Task Revoke_OtherReason_IsNotReplaced()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");

        var status = await app.Certificates.RevokeAsync("app.test", RevocationReason.CessationOfOperation, Cancelled);
        await app.Services.GetRequiredService<RevocationWatcher>().LookAsync(Cancelled);

        Assert.True(status.Revoked);
        Assert.True(status.NextOrder > DateTimeOffset.Parse("2026-01-01", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Look_RevokedBySomebodyElse_IsReplacedAtOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var serial = app.Certificates.Find("app.test")!.SerialNumber!;

        // Advice that is asked for after the revocation would have it replaced too, without a look at the list.
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the advice is there", cancellationToken: Cancelled);
        await RevokeBehindItsBackAsync(app);
        await app.Services.GetRequiredService<RevocationWatcher>().LookAsync(Cancelled);

        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.SerialNumber != serial,
            () => $"a successor\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.True(app.Log.Has("CertificateFoundRevoked"));
        Assert.False(app.Certificates.Find("app.test")!.Revoked);
    }

    [Fact]
    public async Task Look_ItStandsInForAnother_IsServedNoMoreNorAfterARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using (var first = await fixture.StartAppAsync(fixture.Settings("a.test")))
        {
            await first.ObtainedAsync("a.test");
            await Poll.UntilAsync(() => first.Log.Has("RenewalAdvised"), "the advice is there", cancellationToken: Cancelled);
            await first.StopAsync(Cancelled);
            await RevokeBehindItsBackAsync(first, "a.test");
        }

        fixture.Authority.Faults.FailValidation("b.test");
        var settings = fixture.Settings().AddGroup("a.test", "b.test");
        await using (var second = await fixture.StartAppAsync(settings))
        {
            Assert.True(second.Log.Has("RetiredCertificateServed"));
            await Poll.UntilAsync(
                async _ => (await second.ConnectAsync("a.test", Cancelled)).IsSelfSigned,
                () => $"it is withdrawn\n{second.Log}",
                cancellationToken: Cancelled);
            await second.StopAsync(Cancelled);
        }

        await using var third = await fixture.StartAppAsync(settings);
        Assert.False(third.Log.Has("RetiredCertificateServed"));
        Assert.True((await third.ConnectAsync("a.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Look_OneStateCannotBeRead_TheOthersAreReplacedAndItLater()
    {
        var trouble = new FailingStorage(new InMemoryStorage());
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings("a.test", "b.test"), storage: trouble);

        await Poll.UntilAsync(
            () => app.Log.Lines.Count(l => l.Event.Name == "RenewalAdvised") == 2,
            "the advice is there",
            cancellationToken: Cancelled);
        var serials = new[] { app.Certificates.Find("a.test")!.SerialNumber, app.Certificates.Find("b.test")!.SerialNumber };
        foreach (var name in new[] { "a.test", "b.test" })
        {
            await RevokeBehindItsBackAsync(app, name);
        }

        foreach (var (bad, good) in new[] { ("a.test", "b.test"), ("b.test", "a.test") })
        {
            trouble.Unreadable = key => key == $"states/{bad}.json";
            await app.Services.GetRequiredService<RevocationWatcher>().LookAsync(Cancelled);
            await Poll.UntilAsync(
                () => !serials.Contains(app.Certificates.Find(good)!.SerialNumber),
                () => $"a successor of {good}\n{app.Log}",
                cancellationToken: Cancelled);
        }
    }

    [Fact]
    public async Task Revoke_StoreDown_RevokesAndReplaces()
    {
        var trouble = new FailingStorage(new InMemoryStorage());
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ReuseKeys"] = "true";
        await using var app = await fixture.ServeAsync(settings, storage: trouble);
        var before = await app.ConnectAsync("app.test", Cancelled);
        trouble.Unwritable = key => key.StartsWith("orders/", StringComparison.Ordinal)
            || key.StartsWith("states/", StringComparison.Ordinal)
            || key.StartsWith("revoked/", StringComparison.Ordinal);

        await app.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);
        Assert.Single(fixture.Authority.Revoked);
        Assert.True(app.Certificates.Find("app.test")!.Revoked);
        trouble.Unwritable = static _ => false;
        await app.Certificates.RenewAsync("app.test", Cancelled);

        var after = await app.ConnectAsync("app.test", Cancelled);
        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        Assert.NotEqual(before.Leaf.GetPublicKeyString(), after.Leaf.GetPublicKeyString());
    }

    [Fact]
    public async Task Revoke_KeyCompromiseWhereKeysAreReused_NeverUsesTheKeyAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ReuseKeys"] = "true";
        await using var app = await fixture.ServeAsync(settings);
        var before = await app.ConnectAsync("app.test", Cancelled);

        await app.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.SerialNumber != before.SerialNumber,
            "a successor",
            cancellationToken: Cancelled);
        var after = await app.ConnectAsync("app.test", Cancelled);
        await app.Certificates.RenewAsync("app.test", Cancelled);
        var later = await app.ConnectAsync("app.test", Cancelled);

        Assert.NotEqual(before.Leaf.GetPublicKeyString(), after.Leaf.GetPublicKeyString());
        Assert.NotEqual(after.SerialNumber, later.SerialNumber);
        Assert.NotEqual(before.Leaf.GetPublicKeyString(), later.Leaf.GetPublicKeyString());
    }

    [Fact]
    public async Task Revoke_OrderUnderWayAndNothingCanBeRecorded_IsNotLost()
    {
        var trouble = new FailingStorage(new InMemoryStorage());
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ReuseKeys"] = "true";
        await using var app = await fixture.ServeAsync(settings, configure: QuickIssuance.Apply, storage: trouble);
        var before = await app.ConnectAsync("app.test", Cancelled);

        // The order that is under way has the key that is revoked.
        fixture.Authority.Faults.ProcessingStuck = true;
        var renewing = app.Certificates.RenewAsync("app.test", Cancelled);
        await Poll.UntilAsync(
            () => fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.Finalize, StatusCode: 200 }) == 2,
            "the request to be sent",
            cancellationToken: Cancelled);
        trouble.Unwritable = key => key.StartsWith("states/", StringComparison.Ordinal)
            || key.StartsWith("revoked/", StringComparison.Ordinal);
        var revoking = app.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);
        await Poll.UntilAsync(() => fixture.Authority.Revoked.Count == 1, "the revocation", cancellationToken: Cancelled);
        fixture.Authority.Faults.ProcessingStuck = false;
        await Assert.ThrowsAsync<CertificateException>(() => renewing);
        await revoking;
        trouble.Unwritable = static _ => false;

        await Poll.UntilAsync(
            async _ => (await app.ConnectAsync("app.test", Cancelled)).Leaf.GetPublicKeyString() != before.Leaf.GetPublicKeyString(),
            () => $"a successor with another key\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.False(app.Certificates.Find("app.test")!.Revoked);
    }

    private static async Task RevokeBehindItsBackAsync(AcmeApp app, string name = "app.test")
    {
        var record = app.Services.GetRequiredService<CertificateCatalog>().Find(name)!.Current!.Record;
        var authority = app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0];
        using var key = CertificateKeys.Read(record.Metadata.KeyAlgorithm, record.PrivateKey.Span);
        await app.Services.GetRequiredService<AuthorityRegistry>().Get(authority).Client.RevokeCertificateAsync(
            record.Chain[0], key, RevocationReason.Superseded, Cancelled);
    }
}
