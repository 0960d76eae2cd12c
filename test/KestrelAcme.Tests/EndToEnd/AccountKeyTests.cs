using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class AccountKeyTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollover_Running_TheAccountStaysAndOrdersGoOn()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var before = await ReadAsync(app);

        await app.Certificates.RolloverAccountKeyAsync(Cancelled);
        await app.Certificates.RenewAsync("app.test", Cancelled);

        var after = await ReadAsync(app);
        Assert.NotEqual(before.PrivateKeyPem, after.PrivateKeyPem);
        Assert.Equal(before.Metadata.AccountUrl, after.Metadata.AccountUrl);
        Assert.Null(after.NextPrivateKeyPem);
        Assert.Single(fixture.Authority.Issued.Select(i => i.AccountId).Distinct());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_RolloverBrokenOff_TheRightKeyIsFound(bool authorityHasTheNewKey)
    {
        await using var fixture = await LocalFixture.StartAsync();
        AccountRecord stored;
        await using (var app = await fixture.StartAppAsync(fixture.Settings("app.test")))
        {
            await app.ObtainedAsync("app.test");
            var old = await ReadAsync(app);
            await app.Certificates.RolloverAccountKeyAsync(Cancelled);
            var known = await ReadAsync(app);

            // As a crash leaves it: both keys stored, and either may be the one that the authority knows.
            stored = authorityHasTheNewKey
                ? old with { NextPrivateKeyPem = known.PrivateKeyPem }
                : known with { NextPrivateKeyPem = AccountKey.Generate().ExportPkcs8Pem() };
            await StoreOf(app).WriteAccountAsync(IdOf(fixture), stored, lease: null, Cancelled);
            await app.StopAsync(Cancelled);
        }

        await using var second = await fixture.StartAppAsync(fixture.Settings("app.test"));
        await second.Certificates.RenewAsync("app.test", Cancelled);

        var settled = await ReadAsync(second);
        Assert.Equal(authorityHasTheNewKey ? stored.NextPrivateKeyPem : stored.PrivateKeyPem, settled.PrivateKeyPem);
        Assert.Null(settled.NextPrivateKeyPem);
        Assert.Single(fixture.Authority.Issued.Select(i => i.AccountId).Distinct());
    }

    [Fact]
    public async Task Rollover_OrderUnderWay_IsFinishedWithTheNewKey()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        fixture.Authority.Faults.ProcessingStuck = true;
        var renewal = app.Certificates.RenewAsync("app.test", Cancelled);
        await Poll.UntilAsync(
            () => fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.Finalize, StatusCode: 200 }) == 2,
            () => $"the order is finalized\n{app.Log}",
            cancellationToken: Cancelled);

        await app.Certificates.RolloverAccountKeyAsync(Cancelled);
        fixture.Authority.Faults.ProcessingStuck = false;
        var status = await renewal;

        Assert.Null(status.Failure);
        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.Equal(2, fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
        Assert.False(app.Log.Has("CertificateFailed"), app.Log.ToString());
    }

    [Fact]
    public async Task Rollover_OutcomeIsNotKnown_TheAccountStaysAndIsUsedWithItsNewKey()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var before = await ReadAsync(app);

        // The CA changes the key, and neither the response nor the question afterwards comes through.
        fixture.Authority.Faults.Inject(ResourceKind.KeyChange, Fault.CutAfter, times: 10);
        fixture.Authority.Faults.Inject(ResourceKind.NewAccount, Fault.CutBefore, times: 100);
        await Assert.ThrowsAnyAsync<AcmeException>(() => app.Certificates.RolloverAccountKeyAsync(Cancelled));
        fixture.Authority.Faults.Clear();
        await app.Certificates.RenewAsync("app.test", Cancelled);

        var after = await ReadAsync(app);
        Assert.Equal(before.Metadata.AccountUrl, after.Metadata.AccountUrl);
        Assert.NotEqual(before.PrivateKeyPem, after.PrivateKeyPem);
        Assert.Null(after.NextPrivateKeyPem);
        Assert.Single(fixture.Authority.Issued.Select(i => i.AccountId).Distinct());
    }

    private static CertificateStore StoreOf(AcmeApp app) => app.Services.GetRequiredService<CertificateStore>();

    private static string IdOf(LocalFixture fixture)
        => Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(fixture.StorePath, "accounts")).Single());

    private static async Task<AccountRecord> ReadAsync(AcmeApp app)
    {
        var id = app.Services.GetRequiredService<KestrelAcme.Configuration.Snapshot.ConfigurationSource>().Current.Authorities[0].Id;
        return (await StoreOf(app).ReadAccountAsync(id, Cancelled))!;
    }
}
