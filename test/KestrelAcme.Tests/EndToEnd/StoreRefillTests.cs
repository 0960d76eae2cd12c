using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What is served and what is stored come together again.</summary>
public sealed class StoreRefillTests
{
    private const string Name = "app.test";

    private readonly InMemoryStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Store_Emptied_IsFilledFromMemory()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, _storage);
        await app.ObtainedAsync(Name);
        var serial = app.Certificates.Find(Name)!.SerialNumber;

        await _storage.DeleteAsync(StorageLayout.State(Name), cancellationToken: Cancelled);
        await _storage.DeleteAsync(StorageLayout.Certificate(Name), cancellationToken: Cancelled);

        await Poll.UntilAsync(
            async _ => await StoredSerialAsync() == serial, "the certificate is stored again", cancellationToken: Cancelled);
        Assert.NotNull(await _storage.ReadAsync(StorageLayout.State(Name), Cancelled));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Store_EmptiedWhole_KeepsTheAccount()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using (var app = await StartAsync(fixture, _storage))
        {
            await app.ObtainedAsync(Name);
            await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
            foreach (var key in await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled))
            {
                await _storage.DeleteAsync(key, cancellationToken: Cancelled);
            }

            await Poll.UntilAsync(
                async _ => await StoredSerialAsync() is not null, "the certificate is stored again", cancellationToken: Cancelled);
            await app.StopAsync(Cancelled);
        }

        await using var restarted = await StartAsync(fixture, _storage);
        await restarted.Certificates.RenewAsync(Name, Cancelled);

        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
    }

    [Fact]
    public async Task SaveAgain_TheStoreHasAnOlderOne_IsStored()
    {
        var trouble = new FailingStorage(_storage);
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, trouble);
        await app.ObtainedAsync(Name);
        var serial = await RenewUnsavedAsync(app, trouble);

        trouble.Unwritable = static _ => false;

        await Poll.UntilAsync(async _ => await StoredSerialAsync() == serial, "the certificate is stored", cancellationToken: Cancelled);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task SaveAgain_AnotherInstanceStoredANewerOne_IsNotStoredOverIt()
    {
        var trouble = new FailingStorage(_storage);
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        await using var app = await StartAsync(fixture, trouble, settings);
        await app.ObtainedAsync(Name);
        await RenewUnsavedAsync(app, trouble);
        await using var other = await StartAsync(fixture, _storage);

        // The first one finds the order again whose certificate could not be stored.
        await other.Certificates.RenewAsync(Name, Cancelled);
        var newest = (await other.Certificates.RenewAsync(Name, Cancelled)).SerialNumber;

        trouble.Unwritable = static _ => false;

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)!.SerialNumber == newest, "the newest is served", cancellationToken: Cancelled);
        await app.Certificates.RenewAsync(Name, Cancelled);
        Assert.Equal(app.Certificates.Find(Name)!.SerialNumber, await StoredSerialAsync());
        Assert.Equal(4, fixture.Authority.Issued.Count);
    }

    /// <summary>Renews while certificates cannot be stored.</summary>
    private static async Task<string?> RenewUnsavedAsync(AcmeApp app, FailingStorage trouble)
    {
        trouble.Unwritable = key => key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal);
        var status = await app.Certificates.RenewAsync(Name, Cancelled);
        Assert.Equal(CertificateState.Valid, status.State);
        Assert.True(app.Log.Has("CertificateNotStored"));
        return status.SerialNumber;
    }

    private async Task<string?> StoredSerialAsync()
        => await _storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled) is { } value
            ? CertificateSnapshot.Read(CertificateFile.Decode(value.Span, new SharedParts())).SerialNumber
            : null;

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, Dictionary<string, string?>? settings = null)
        => fixture.StartAppAsync(settings ?? fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);
}
