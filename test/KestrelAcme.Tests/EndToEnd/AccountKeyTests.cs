using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Protocol.Accounts;
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

    private static CertificateStore StoreOf(AcmeApp app) => app.Services.GetRequiredService<CertificateStore>();

    private static string IdOf(LocalFixture fixture)
        => Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(fixture.StorePath, "accounts")).Single());

    private static async Task<AccountRecord> ReadAsync(AcmeApp app)
    {
        var id = app.Services.GetRequiredService<KestrelAcme.Configuration.Snapshot.ConfigurationSource>().Current.Authorities[0].Id;
        return (await StoreOf(app).ReadAccountAsync(id, Cancelled))!;
    }
}
