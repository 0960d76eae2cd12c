using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>The start of an application whose import is not certain: a folder without anything of use, or a revoked certificate.</summary>
public sealed class ImportDoubtTests : IAsyncLifetime
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

    [Theory]
    [InlineData("gone")]
    [InlineData("empty")]
    [InlineData("password")]
    [InlineData("passwordfile")]
    public async Task Start_ManyMissingAndNothingOfUse_OrdersNothingUntilTheFolderIsThere(string fault)
    {
        string[] names = [.. Enumerable.Range(1, 6).Select(i => $"app{i}.test")];
        var there = _foreign.Combine("there");
        var settings = Settings(names);
        settings["AcmeHttps:ImportFrom:0:Path"] = there;
        settings[$"AcmeHttps:ImportFrom:0:{(fault == "passwordfile" ? "PasswordFile" : "Password")}"]
            = fault == "passwordfile" ? _foreign.Combine("pw") : "right";
        using var other = new TemporaryFolder();
        SampleImports.WriteLettuceEncrypt(other, Issue(Now.AddDays(-3), names), fault == "password" ? "wrong" : "right");
        if (fault == "empty")
        {
            Directory.CreateDirectory(there);
        }
        else if (fault != "gone")
        {
            Directory.Move(other.Path, there);
        }

        await using var app = await _fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        Assert.True(app.Log.Has("OrdersHeldForImport"), app.Log.ToString());

        if (fault == "passwordfile")
        {
            _foreign.Write("pw", "right");
        }
        else
        {
            Directory.CreateDirectory(there);
            Directory.Delete(there, recursive: true);
            using var right = new TemporaryFolder();
            SampleImports.WriteLettuceEncrypt(right, Issue(Now.AddDays(-3), names), "right");
            Directory.Move(right.Path, there);
        }

        await ImportedAsync(app, names);

        Assert.Empty(Orders);
    }

    [Fact]
    public async Task Start_RevokedAndItsSuccessorUnreadable_ServesNothingOfIt()
    {
        var material = Issue(Now.AddDays(-3), "app.test");
        SampleImports.WriteCertbot(_foreign, "app", material, _fixture.Authority.DirectoryUrl);
        var stored = Path.Combine(_fixture.StorePath, "moved", "certificates", "app.test.pem");
        await using (var first = await _fixture.StartAppAsync(Settings("app.test")))
        {
            var store = first.Services.GetRequiredService<CertificateStore>();
            await store.SetRevokedAsideAsync("app.test", CertificateSnapshot.Read((await ReadAsync(first, "app.test"))!), Cancelled);
            await first.StopAsync(Cancelled);
        }

        // A link that leads to itself is an error of the file system, also for root.
        File.Delete(stored);
        File.CreateSymbolicLink(stored, stored);
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));

        Assert.Null(app.Certificates.Find("app.test")!.SerialNumber);
        Assert.False(app.Log.Has("CertificateImported"), app.Log.ToString());
    }

    [Fact]
    public async Task Start_RevokedHere_IsNotServedForItsNamesEither()
    {
        const string Rsa = "app.test+rsa2048";
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var material = new TestAuthority().Issue(["app.test"], rsa);
        SampleImports.WriteCertbot(_foreign, "app", material, _fixture.Authority.DirectoryUrl);
        var settings = Settings("app.test");
        settings["AcmeHttps:KeyAlgorithm"] = "Rsa2048";
        await using (var first = await _fixture.StartAppAsync(settings))
        {
            var store = first.Services.GetRequiredService<CertificateStore>();
            await store.SetRevokedAsideAsync(Rsa, CertificateSnapshot.Read((await ReadAsync(first, Rsa))!), Cancelled);
            await first.StopAsync(Cancelled);
            File.Delete(Path.Combine(_fixture.StorePath, "moved", "certificates", $"{Rsa}.pem"));
        }

        // Another type of key, so that it would be served until there is the configured one.
        _fixture.Authority.Faults.FailValidation("app.test", "unauthorized", "not yet");
        await using var app = await _fixture.StartAppAsync(Settings("app.test"));

        Assert.DoesNotContain(
            app.Services.GetRequiredService<CertificateCatalog>().Served, c => c.Current?.SerialNumber == SerialOf(material));
    }

    [Fact]
    public async Task Start_FolderIsReadSlowerThanTheStartWaits_IsImportedAllTheSame()
    {
        string[] names = [.. Enumerable.Range(1, 8).Select(i => $"app{i}.test")];
        foreach (var name in names)
        {
            SampleImports.WriteLettuceEncrypt(_foreign, Issue(Now.AddDays(-3), name), "secret", iterations: 250_000);
        }

        var settings = Settings(names);
        settings["AcmeHttps:ImportFrom:0:Password"] = "secret";
        await using var app = await _fixture.StartAppAsync(
            settings,
            configure: builder => builder.Services.AddSingleton(
                new IssuanceSettings { LoadTime = TimeSpan.FromMilliseconds(300), ImportAgain = TimeSpan.FromMilliseconds(100) }));

        await ImportedAsync(app, names);

        Assert.Empty(Orders);
    }

    // Those that were read first must not be ordered while the others are being read.
    [Fact]
    public async Task Start_StoreIsReadSlowly_OrdersNothingBeforeTheFolderWasLookedAt()
    {
        string[] names = [.. Enumerable.Range(100, 200).Select(i => $"app{i}.test")];
        SampleImports.WriteCertbot(_foreign, "app", Issue(Now.AddDays(-3), names), _fixture.Authority.DirectoryUrl);
        var storage = new GatedStorage(new InMemoryStorage(TimeProvider.System))
        {
            Holds = keys => !keys.Any(key => key.Contains("app100.", StringComparison.Ordinal)),
        };
        await using var app = await _fixture.StartAppAsync(
            Settings(names),
            configure: builder => builder.Services.AddSingleton(new IssuanceSettings
            {
                LoadTime = TimeSpan.FromMilliseconds(500),
                ImportAgain = TimeSpan.FromMilliseconds(100),
                StoreAnswer = TimeSpan.Zero,
            }),
            storage: storage);
        await Poll.UntilAsync(() => app.Log.Has("OrdersHeldForImport"), () => $"the hold\n{app.Log}", cancellationToken: Cancelled);

        Assert.Empty(Orders);

        storage.Open();
        await ImportedAsync(app, names);
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

    private static Task ImportedAsync(AcmeApp app, string[] names)
        => Poll.UntilAsync(
            () => names.All(name => app.Certificates.Find(name)!.SerialNumber is not null),
            () => $"the certificates\n{app.Log}",
            cancellationToken: Cancelled);

    private static Task<CertificateRecord?> ReadAsync(AcmeApp app, string id)
        => app.Services.GetRequiredService<CertificateStore>().ReadCertificateAsync(id, Cancelled);

    private Dictionary<string, string?> Settings(params string[] names)
    {
        var settings = _fixture.Settings(names);
        settings["AcmeHttps:ImportFrom:0:Path"] = _foreign.Path;
        settings["AcmeHttps:StoragePath"] = Path.Combine(_fixture.StorePath, "moved");
        return settings;
    }
}
