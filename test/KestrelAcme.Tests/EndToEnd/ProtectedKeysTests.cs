using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.Storage.Protection;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Keys in the store are encrypted while apps come and go, and no certificate is ordered because of it.</summary>
public sealed class ProtectedKeysTests
{
    private const string Name = "app.test";
    private const string Other = "other.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_StoreIsUnprotected_IsEncryptedAndDecryptedInPlaceWithoutAnOrder()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name, Other);
        Assert.Equal(3, await CountAsync(fixture, "BEGIN PRIVATE KEY"));

        await using (var app = await StartAsync(fixture))
        {
            await WhenLoggedAsync(app, "KeysEncrypted");
            Assert.Equal((0, 3), (await CountAsync(fixture, "BEGIN PRIVATE KEY"), await CountAsync(fixture, "PROTECTED KEY")));
            await AssertServedAsync(fixture, app);
            await app.StopAsync(Cancelled);
        }

        await using (var app = await StartAsync(fixture))
        {
            await AssertServedAsync(fixture, app);
            await app.Certificates.RenewAsync(Name, Cancelled);
            Assert.False(app.Log.Has("KeysEncrypted"));
            await app.StopAsync(Cancelled);
        }

        Assert.Equal((3, 1), (fixture.Authority.Issued.Count, Accounts(fixture)));
        var settings = fixture.Settings(Name, Other);
        settings["AcmeHttps:ProtectKeys"] = "false";
        await using (var app = await StartAsync(fixture, settings))
        {
            await WhenLoggedAsync(app, "KeysDecrypted");
            await app.StopAsync(Cancelled);
        }

        await using var last = await fixture.StartAppAsync(fixture.Settings(Name, Other), configure: QuickIssuance.Apply);
        await AssertServedAsync(fixture, last);
        Assert.Equal((3, 1), (fixture.Authority.Issued.Count, Accounts(fixture)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_ImportedFolder_IsStoredEncryptedOnlyAndRenewedFromItsAccount(bool byCertificate)
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var foreign = new TemporaryFolder();
        using var ring = new TemporaryFolder();
        await WriteForeignAsync(fixture, foreign);
        var before = SampleImports.Describe(foreign.Path);
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:ImportFrom:0"] = foreign.Path;
        var storage = new WatchedStorage(new InMemoryStorage(TimeProvider.System));
        await using var app = await fixture.StartAppAsync(
            settings,
            acme => _ = byCertificate
                ? acme.ProtectKeysWithCertificate(ProtectionFixture.Certificate)
                : acme.ProtectKeysWithDataProtection(),
            builder =>
            {
                QuickIssuance.Apply(builder);
                builder.Services.AddDataProtection().SetApplicationName("app").PersistKeysToFileSystem(new DirectoryInfo(ring.Path));
            },
            storage: storage);

        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.Equal(2, storage.Written.Count(value => value.Contains("PROTECTED KEY", StringComparison.Ordinal)));
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.DoesNotContain(storage.Written, value => value.Contains("PRIVATE KEY", StringComparison.Ordinal));
        Assert.Equal((2, 1), (fixture.Authority.Issued.Count, Accounts(fixture)));
        Assert.Equal(before, SampleImports.Describe(foreign.Path));
    }

    [Fact]
    public async Task Renew_AccountCannotBeDecrypted_NoOtherIsRegistered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        var account = Directory.GetFiles(Path.Join(fixture.StorePath, "accounts")).Single();
        var sealedValue = await ProtectionFixture.Protection().SealAsync(
            $"accounts/{Path.GetFileName(account)}", await File.ReadAllBytesAsync(account, Cancelled), Cancelled);
        await File.WriteAllBytesAsync(account, sealedValue, Cancelled);

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => app.Certificates.RenewAsync(Name, Cancelled));

        Assert.Contains("ProtectKeysWith", failure.Message, StringComparison.Ordinal);
        Assert.Equal((1, 1), (fixture.Authority.Issued.Count, Accounts(fixture)));
        Assert.Equal(sealedValue.ToArray(), await File.ReadAllBytesAsync(account, Cancelled));
    }

    [Fact]
    [Long]
    public async Task Start_ProtectorIsMissing_OrdersNothingAndSaysWhatToDo()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using (var app = await StartAsync(fixture))
        {
            await app.ObtainedAsync(Name);
            await app.ObtainedAsync(Other);
            await app.StopAsync(Cancelled);
        }

        var before = await FilesAsync(fixture);
        await using (var app = await fixture.StartAppAsync(fixture.Settings(Name, Other), configure: QuickIssuance.Apply))
        {
            var failure = await Assert.ThrowsAnyAsync<Exception>(() => app.Certificates.RenewAsync(Name, Cancelled));
            Assert.Contains("ProtectKeysWith", failure.Message, StringComparison.Ordinal);
            Assert.Contains(app.Log.At(LogLevel.Error), l => l.Message.Contains("certificates/app.test.pem", StringComparison.Ordinal));
            await Poll.UntilAsync(
                () => app.Certificates.Find(Other)?.Failure is not null,
                () => $"the other one is tried, too\n{app.Log}",
                cancellationToken: Cancelled);
            await app.StopAsync(Cancelled);
        }

        Assert.Equal((2, 1), (fixture.Authority.Issued.Count, Accounts(fixture)));
        Assert.Equal(before, await FilesAsync(fixture));
        await using var again = await StartAsync(fixture);
        await AssertServedAsync(fixture, again);
    }

    [Fact]
    public async Task Start_EncryptionIsInterrupted_IsFinishedByTheNextStart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name, Other);
        using var files = new FileSystemStorage(
            fixture.StorePath, TimeProvider.System, new LogRecorder().For<FileSystemStorage>());
        var failing = new FailingStorage(files) { Unwritable = key => key == StorageLayout.Certificate(Other) };

        await using (var app = await StartAsync(fixture, storage: failing))
        {
            await WhenLoggedAsync(app, "HousekeepingFailed");
            await Poll.UntilAsync(
                async _ => await CountAsync(fixture, "PROTECTED KEY") == 2, () => $"the others\n{app.Log}", cancellationToken: Cancelled);
            Assert.Equal(1, await CountAsync(fixture, "BEGIN PRIVATE KEY"));
            Assert.False(app.Log.Has("KeysEncrypted"));
            await AssertServedAsync(fixture, app);
            await app.StopAsync(Cancelled);
        }

        await using var next = await StartAsync(fixture);
        await WhenLoggedAsync(next, "KeysEncrypted");
        Assert.Equal((0, 3), (await CountAsync(fixture, "BEGIN PRIVATE KEY"), await CountAsync(fixture, "PROTECTED KEY")));
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Start_DataProtection_WarnsOfARingThatCouldBeLost()
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var ring = new TemporaryFolder();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name),
            acme => acme.ProtectKeysWithDataProtection(),
            builder => builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(ring.Path)));
        await app.ObtainedAsync(Name);

        Assert.True(app.Log.Has("KeyRingWithoutName"));
        Assert.False(app.Log.Has("KeyRingInDefaultPlace"));
        Assert.Equal(0, await CountAsync(fixture, "BEGIN PRIVATE KEY"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_TraceLogsStatusAndStore_NeverContainAKey(bool isProtected)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new WatchedStorage(new InMemoryStorage(TimeProvider.System));
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name),
            acme =>
            {
                if (isProtected)
                {
                    acme.ProtectKeysWithCertificate(ProtectionFixture.Certificate);
                }
            },
            builder =>
            {
                QuickIssuance.Apply(builder);
                builder.Logging.SetMinimumLevel(LogLevel.Trace);
                builder.Services.AddHealthChecks().AddAcmeHttps();
            },
            web =>
            {
                web.MapAcmeHttpsStatus("/status");
                web.MapHealthChecks("/health", new() { ResponseWriter = (context, report) => WriteAsync(context, report) });
            },
            storage);
        await app.ObtainedAsync(Name);
        var first = app.Services.GetRequiredService<CertificateCatalog>().Find(Name)!.Current!.Record.PrivateKey;
        fixture.Authority.Faults.FailValidation(Name);
        await Assert.ThrowsAnyAsync<Exception>(() => app.Certificates.RenewAsync(Name, Cancelled));
        fixture.Authority.Faults.Clear();
        await app.Certificates.RenewAsync(Name, Cancelled);
        await app.Certificates.RevokeAsync(Name, RevocationReason.Superseded, Cancelled);

        var shown = new StringBuilder(string.Join('\n', app.Log.Lines.Select(l => $"{l.Message} {l.Exception}")));
        foreach (var path in new[] { "/status", "/health" })
        {
            using var response = await app.GetHttpAsync(path, cancellationToken: Cancelled);
            shown.Append(await response.Content.ReadAsStringAsync(Cancelled));
        }

        var stored = string.Join('\n', storage.Written);
        var keys = new List<byte[]> { Scalar(first) };
        var bounded = app.Services.GetRequiredService<BoundedStorage>();
        await foreach (var key in bounded.ListAsync("", Cancelled))
        {
            var value = Encoding.UTF8.GetString((await bounded.ReadAsync(key, Cancelled))!.Value.Span);
            if (value.Contains("BEGIN PRIVATE KEY", StringComparison.Ordinal))
            {
                using var secret = ECDsa.Create();
                secret.ImportFromPem(value.AsSpan(value.IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal)));
                keys.Add(secret.ExportParameters(includePrivateParameters: true).D!);
            }
        }

        Assert.True(keys.Count >= 3);
        Assert.DoesNotContain(keys, key => Contains(shown.ToString(), key));
        Assert.All(keys.Skip(isProtected ? 0 : 1), key => Assert.Equal(!isProtected, Contains(stored, key)));
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
        => context.Response.WriteAsync(
            string.Join('\n', report.Entries.SelectMany(e => e.Value.Data.Select(d => $"{d.Key} {d.Value}").Append(e.Value.Description))));

    private static byte[] Scalar(ReadOnlyMemory<byte> pkcs8)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8.Span, out _);
        return key.ExportParameters(includePrivateParameters: true).D!;
    }

    // In hexadecimal, and in base64 and base64url wherever in a longer text it begins.
    private static bool Contains(string text, byte[] key)
    {
        var packed = string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
        IEnumerable<string> forms = [Convert.ToHexString(key), Convert.ToHexStringLower(key)];
        for (var shift = 0; shift < 3; shift++)
        {
            var base64 = Convert.ToBase64String([.. new byte[shift], .. key])[4..^4];
            forms = forms.Append(base64).Append(base64.Replace('+', '-').Replace('/', '_'));
        }

        return forms.Any(form => packed.Contains(form, StringComparison.Ordinal));
    }

    private static Task<AcmeApp> StartAsync(
        LocalFixture fixture, Dictionary<string, string?>? settings = null, IAcmeStorage? storage = null)
        => fixture.StartAppAsync(
            settings ?? fixture.Settings(Name, Other),
            acme => acme.ProtectKeysWithCertificate(ProtectionFixture.Certificate),
            QuickIssuance.Apply,
            storage: storage);

    private static Task WhenLoggedAsync(AcmeApp app, string eventName)
        => Poll.UntilAsync(() => app.Log.Has(eventName), () => $"{eventName}\n{app.Log}", cancellationToken: Cancelled);

    private static async Task AssertServedAsync(LocalFixture fixture, AcmeApp app)
    {
        foreach (var name in new[] { Name, Other })
        {
            var leaf = await app.ConnectAsync(name, Cancelled);
            Assert.Contains(fixture.Authority.Issued, c => c.SerialNumber == leaf.SerialNumber);
        }
    }

    /// <summary>Has an app obtain a certificate, and writes it and the account as Certbot would.</summary>
    private static async Task WriteForeignAsync(LocalFixture fixture, TemporaryFolder foreign)
    {
        await using var app = await fixture.ServeAsync(Name);
        var store = app.Services.GetRequiredService<CertificateStore>();
        var record = (await store.ReadCertificateAsync(Name, Cancelled))!;
        var authority = app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0];
        var account = (await store.ReadAccountAsync(authority.Id, Cancelled))!;
        var material = new CertificateMaterial(Name, [Name], record.Chain, record.PrivateKey, default, default);
        SampleImports.WriteCertbot(foreign, "app", material, authority.DirectoryUrl);
        using var key = ECDsa.Create();
        key.ImportFromPem(account.PrivateKeyPem);
        SampleImports.WriteCertbotAccount(
            foreign, authority.DirectoryUrl, "0a", SampleImports.Jwk(key), account.Metadata.AccountUrl, "2024-01-01T00:00:00Z");
    }

    private static int Accounts(LocalFixture fixture)
        => fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });

    private static IEnumerable<string> SecretFiles(LocalFixture fixture)
        => new[] { "certificates", "accounts" }.SelectMany(f => Directory.GetFiles(Path.Join(fixture.StorePath, f))).Order();

    private static async Task<string> FilesAsync(LocalFixture fixture)
        => string.Join('\n', await Task.WhenAll(SecretFiles(fixture).Select(async f => f + await File.ReadAllTextAsync(f, Cancelled))));

    private static async Task<int> CountAsync(LocalFixture fixture, string text)
        => (await Task.WhenAll(SecretFiles(fixture).Select(f => File.ReadAllTextAsync(f, Cancelled))))
            .Count(t => t.Contains(text, StringComparison.Ordinal));
}
