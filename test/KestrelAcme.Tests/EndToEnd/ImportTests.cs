using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>The start of an application that finds the folder of another client.</summary>
public sealed class ImportTests : IAsyncLifetime
{
    private readonly TemporaryFolder _foreign = new();
    private LocalFixture _fixture = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public async ValueTask InitializeAsync() => _fixture = await LocalFixture.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _foreign.Dispose();
    }

    [Fact]
    public async Task Start_LettuceEncryptFolder_ServesItAndRenewsItWhenAdvisedFromItsAccount()
    {
        var (material, account) = await ObtainAsync("app.test");
        SampleImports.WriteLettuceEncrypt(_foreign, material, "secret");
        SampleImports.WriteLettuceEncryptAccount(_foreign, _fixture.Authority.DirectoryUrl, account.PrivateKeyPem);
        var before = (SampleImports.Describe(_foreign.Path), _fixture.Authority.Issued[0]);
        var settings = Settings("app.test");
        settings["AcmeHttps:ImportFrom:0:Password"] = "secret";
        await using (var app = await _fixture.StartAppAsync(settings, configure: QuickIssuance.Apply))
        {
            var served = await app.ConnectAsync("app.test", Cancelled);

            Assert.Equal(SerialOf(material), served.SerialNumber);
            Assert.Single(_fixture.Authority.Issued);
            await app.StopAsync(Cancelled);
        }

        // Due: the second start has it in its store, and no longer needs the folder.
        var ago = Now.AddHours(-2);
        _fixture.Authority.RenewalInformation.SetForAll(new RenewalWindow(ago, ago.AddHours(1)));
        settings.Remove("urls");
        settings.Remove("AcmeHttps:ImportFrom:0:Path");
        settings.Remove("AcmeHttps:ImportFrom:0:Password");
        await using var second = await _fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        await Poll.UntilAsync(
            () => _fixture.Authority.Issued.Count > 1, () => $"the renewal\n{second.Log}", cancellationToken: Cancelled);

        Assert.Equal(before.Item2.AccountId, _fixture.Authority.Issued[1].AccountId);
        Assert.Equal(before.Item1, SampleImports.Describe(_foreign.Path));
    }

    [Fact]
    public async Task Start_StoreHasALaterOne_KeepsItAndItsAccount()
    {
        await _fixture.FillStoreAsync("app.test");
        var stored = _fixture.Authority.Issued[0];
        SampleImports.WriteCertbot(_foreign, "app", Issue(Now.AddDays(-3), "app.test"), _fixture.Authority.DirectoryUrl);
        var directory = _fixture.Authority.DirectoryUrl;
        SampleImports.WriteCertbotAccount(
            _foreign, directory, "0a", SampleImports.Jwk(NewKey()), new Uri(directory, "/account/theirs"), "2024-01-01T00:00:00Z");
        await using var app = await _fixture.StartAppAsync(ImportInto(_fixture.Settings("app.test")));

        Assert.Equal(stored.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.False(app.Log.Has("CertificateImported"));
        Assert.False(app.Log.Has("AccountImported"));
        Assert.True(app.Log.Has("ImportRead"));
        Assert.DoesNotContain(app.Log.Lines, l => l.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Start_ImportIsLaterThanTheStore_TakesItOver()
    {
        SampleImports.WriteCertbot(_foreign, "app", Issue(Now.AddDays(-3), "app.test"), _fixture.Authority.DirectoryUrl);
        await using (var first = await _fixture.StartAppAsync(Settings("app.test")))
        {
            await first.StopAsync(Cancelled);
        }

        _foreign.Write("archive/app/fullchain1.pem", "");
        var later = Issue(Now.AddDays(-1), "app.test");
        File.Delete(_foreign.Combine("live", "app", "fullchain.pem"));
        File.Delete(_foreign.Combine("live", "app", "privkey.pem"));
        SampleImports.WriteCertbot(_foreign, "app", later, _fixture.Authority.DirectoryUrl);
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));

        Assert.Equal(SerialOf(later), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Empty(_fixture.Authority.Issued);
        Assert.Equal(SerialOf(later), CertificateSnapshot.Read((await ReadAsync(app, "app.test"))!).SerialNumber);
    }

    [Fact]
    public async Task Start_OneCertificateForSeveralNames_IsServedForEach()
    {
        var material = Issue(Now.AddDays(-3), "app.test", "www.test", "old.test");
        SampleImports.WriteLettuceEncrypt(_foreign, material);
        await using var app = await _fixture.StartAppAsync(Settings("app.test", "www.test"));

        Assert.Equal(SerialOf(material), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Equal(SerialOf(material), (await app.ConnectAsync("www.test", Cancelled)).SerialNumber);
        await PlannedAsync(app, "app.test");
        Assert.Empty(Orders);
    }

    [Fact]
    public async Task Start_DamagedAndForeignFiles_WarnsOnceEachAndOrdersOnlyWhatIsMissing()
    {
        SampleImports.WriteCertbot(_foreign, "app", Issue(Now.AddDays(-3), "app.test"), _fixture.Authority.DirectoryUrl);
        SampleImports.WriteCertbot(_foreign, "www", Issue(Now.AddDays(-3), "www.test"), _fixture.Authority.DirectoryUrl);
        SampleImports.WriteCertbot(_foreign, "other", Issue(Now.AddDays(-3), "other.test"), _fixture.Authority.DirectoryUrl);
        _foreign.Write("archive/www/privkey1.pem", "damaged");
        var settings = Settings("app.test", "www.test");
        settings["AcmeHttps:ImportFrom:1"] = _foreign.Combine("gone");
        await using var app = await _fixture.StartAppAsync(settings);
        await app.ObtainedAsync("www.test");

        Assert.Equal(["www.test"], Assert.Single(_fixture.Authority.Issued).Identifiers);
        Assert.Collection(
            app.Log.Lines.Where(l => l.Event.Name == "ImportSkipped").Select(l => l.Message),
            text => Assert.Contains("privkey.pem' was not imported: it does not hold one", text, StringComparison.Ordinal),
            text => Assert.Contains("gone' was not imported: the folder does not exist", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_SeveralLineagesForOneName_ServesTheNewestThatCanBeUsed()
    {
        var directory = _fixture.Authority.DirectoryUrl;
        var best = Issue(Now.AddDays(-3), "app.test");
        SampleImports.WriteCertbot(_foreign, "app.test", Issue(Now.AddDays(-9), "app.test"), directory);
        SampleImports.WriteCertbot(_foreign, "app.test-0001", best, directory);
        SampleImports.WriteCertbot(_foreign, "app.test-0002", Issue(Now.AddDays(-2), "app.test"), directory);
        SampleImports.WriteCertbot(_foreign, "app.test-0003", Issue(Now.AddDays(3), "app.test"), directory);
        _foreign.Write("archive/app.test-0002/privkey1.pem", SampleImports.KeyPem(best.PrivateKey));
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));

        Assert.Equal(SerialOf(best), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Contains("belongs to its private key", Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
        Assert.Empty(Orders);
    }

    [Fact]
    public async Task Start_Expired_SaysSoAndOrders()
    {
        SampleImports.WriteCertbot(
            _foreign, "app", new TestAuthority().Issue(["app.test"], NewKey(), notBefore: Now.AddDays(-91), notAfter: Now.AddDays(-1)),
            _fixture.Authority.DirectoryUrl);
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));
        await app.ObtainedAsync("app.test");

        Assert.Contains("expired", Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OtherTypeOfKey_IsServedUntilTheConfiguredOneExists()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var material = new TestAuthority().Issue(["app.test"], rsa);
        SampleImports.WriteCertbot(_foreign, "app", material, _fixture.Authority.DirectoryUrl);
        _fixture.Authority.Faults.FailValidation("app.test", "unauthorized", "not yet");
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));

        Assert.Equal(SerialOf(material), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Contains("set KeyAlgorithm to Rsa2048", app.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_KeyTypeConfigured_IsImported()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var material = new TestAuthority().Issue(["app.test"], rsa);
        SampleImports.WriteCertbot(_foreign, "app", material, _fixture.Authority.DirectoryUrl);
        var settings = Settings("app.test");
        settings["AcmeHttps:KeyAlgorithm"] = "Rsa2048";
        await using var app = await _fixture.StartAppAsync(settings);

        Assert.Equal(SerialOf(material), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.DoesNotContain(app.Log.Lines, l => l.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Start_ServeOnly_ServesItAndWritesNothing()
    {
        var (material, account) = await ObtainAsync("app.test");
        SampleImports.WriteLettuceEncrypt(_foreign, material);
        SampleImports.WriteLettuceEncryptAccount(_foreign, _fixture.Authority.DirectoryUrl, account.PrivateKeyPem);
        var settings = Settings("app.test");
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await _fixture.StartAppAsync(settings);

        Assert.Equal(SerialOf(material), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Null(await ReadAsync(app, "app.test"));
        Assert.Null(await ReadAccountAsync(app));
    }

    [Fact]
    public async Task Start_RevokedHere_IsNotImportedAgain()
    {
        var material = Issue(Now.AddDays(-3), "app.test");
        SampleImports.WriteCertbot(_foreign, "app", material, _fixture.Authority.DirectoryUrl);
        await using (var first = await _fixture.StartAppAsync(Settings("app.test")))
        {
            var store = first.Services.GetRequiredService<CertificateStore>();
            await store.SetRevokedAsideAsync("app.test", CertificateSnapshot.Read((await ReadAsync(first, "app.test"))!), Cancelled);
            await first.StopAsync(Cancelled);
            File.Delete(Path.Combine(_fixture.StorePath, "moved", "certificates", "app.test.pem"));
        }

        await using var app = await _fixture.StartAppAsync(Settings("app.test"));
        await app.ObtainedAsync("app.test");

        Assert.NotEqual(SerialOf(material), (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public async Task Start_FolderUnreadable_OrdersNothingUntilItCanBeRead(int count)
    {
        string[] names = [.. Enumerable.Range(1, count).Select(i => $"app{i}.test")];
        SampleImports.WriteCertbot(_foreign, "app", Issue(Now.AddDays(-3), names), _fixture.Authority.DirectoryUrl);

        // A link that leads to itself is an error of the file system, also for root.
        var live = _foreign.Combine("live", "app", "privkey.pem");
        File.Delete(live);
        File.CreateSymbolicLink(live, live);
        await using var app = await _fixture.StartAppAsync(Settings(names), configure: QuickIssuance.Apply);
        Assert.True(app.Log.Has("OrdersHeldForImport"), app.Log.ToString());

        File.Delete(live);
        File.CreateSymbolicLink(live, "../../archive/app/privkey1.pem");
        await Poll.UntilAsync(
            () => names.All(name => app.Certificates.Find(name)!.SerialNumber is not null),
            () => $"the certificates\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Empty(Orders);
    }

    private IEnumerable<AuthorityRequest> Orders => _fixture.Authority.Requests.Where(r => r.Resource == ResourceKind.NewOrder);

    private static System.Security.Cryptography.ECDsa NewKey()
        => System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);

    private static CertificateMaterial Issue(DateTimeOffset notBefore, params string[] names)
        => new TestAuthority().Issue(names, NewKey(), notBefore: notBefore);

    private static string SerialOf(CertificateMaterial material)
    {
        using var leaf = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(material.Chain[0].Span);
        return leaf.SerialNumber;
    }

    private static Task PlannedAsync(AcmeApp app, string name)
        => Poll.UntilAsync(
            () => app.Certificates.Find(name)!.NextOrder > Now.AddDays(1), () => $"a plan\n{app.Log}", cancellationToken: Cancelled);

    private static Task<CertificateRecord?> ReadAsync(AcmeApp app, string id)
        => app.Services.GetRequiredService<CertificateStore>().ReadCertificateAsync(id, Cancelled);

    private static Task<AccountRecord?> ReadAccountAsync(AcmeApp app)
        => app.Services.GetRequiredService<CertificateStore>().ReadAccountAsync(
            app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0].Id, Cancelled);

    /// <summary>A certificate and an account of the authority, in a store that the application under test does not use.</summary>
    private async Task<(CertificateMaterial Material, AccountRecord Account)> ObtainAsync(string name)
    {
        await using var app = await _fixture.ServeAsync(name);
        var record = (await ReadAsync(app, name))!;
        var material = new CertificateMaterial(name, [name], record.Chain, record.PrivateKey, default, default);
        return (material, (await ReadAccountAsync(app))!);
    }

    private Dictionary<string, string?> Settings(params string[] names)
    {
        var settings = ImportInto(_fixture.Settings(names));
        settings["AcmeHttps:StoragePath"] = Path.Combine(_fixture.StorePath, "moved");
        return settings;
    }

    private Dictionary<string, string?> ImportInto(Dictionary<string, string?> settings)
    {
        settings["AcmeHttps:ImportFrom:0:Path"] = _foreign.Path;
        return settings;
    }
}
