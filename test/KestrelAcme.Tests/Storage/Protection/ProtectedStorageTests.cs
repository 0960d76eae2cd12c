using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Storage.Protection;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Storage.Protection;

public sealed class ProtectedStorageValueTests : StorageValueContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new ProtectionFixture());
}

/// <summary>Keys in any store are encrypted; whatever cannot be decrypted is unavailable, and stays as it is.</summary>
public sealed class ProtectedStorageTests
{
    private const string Id = "app.test";
    private const string Password = "secret-of-acme-dns+/=";

    private readonly InMemoryStorage _storage = new(TimeProvider.System);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static StoredOrder Order => new()
    {
        Names = [Id],
        KeyAlgorithm = "EcdsaP256",
        PrivateKey = CertificateKeys.Generate(KeyAlgorithm.EcdsaP256),
        DirectoryUrl = new Uri("https://ca.test/directory"),
        AccountUrl = new Uri("https://ca.test/account/1"),
        At = TimeProvider.System.GetUtcNow(),
    };

    [Fact]
    public async Task Certificate_Protected_KeyIsHiddenAndChainIsReadable()
    {
        await StoredCertificates.WriteAsync(ProtectionFixture.Around(_storage), Id, null, Id);

        var text = await RawAsync(StorageLayout.Certificate(Id));
        Assert.Contains("KESTRELACME PROTECTED KEY", text, StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN PRIVATE KEY", text, StringComparison.Ordinal);
        using var leaf = X509Certificate2.CreateFromPem(text);
        var record = await StoreOf(ProtectionFixture.Around(_storage)).ReadCertificateAsync(Id, Cancelled);
        Assert.Equal(leaf.RawData, record!.Chain[0].ToArray());
        using var key = CertificateKeys.Read("EcdsaP256", record.PrivateKey.Span);
        using var publicKey = leaf.GetECDsaPublicKey()!;
        Assert.Equal(publicKey.ExportSubjectPublicKeyInfo(), ((ECDsa)key).ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public async Task State_WithAnOrder_KeyIsHiddenAndReadAgain()
    {
        var order = Order;
        var store = StoreOf(ProtectionFixture.Around(_storage));
        await store.WriteStateAsync(Id, CertificateStateRecord.Empty with { StoredOrder = order }, lease: null, Cancelled);

        var text = await RawAsync(StorageLayout.State(Id));
        Assert.Contains("ca.test/account/1", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(order.PrivateKey)[..40], text, StringComparison.Ordinal);
        Assert.Equal(order.PrivateKey, (await store.ReadStateAsync(Id, Cancelled))!.StoredOrder!.PrivateKey);
    }

    [Fact]
    public async Task Account_DuringRollover_BothKeysAreHidden()
    {
        using AccountKey first = AccountKey.Generate(), second = AccountKey.Generate();
        var metadata = new AccountMetadata { DirectoryUrl = new Uri("https://ca.test/directory"), CreatedAt = default };
        var record = new AccountRecord(first.ExportPkcs8Pem(), metadata, second.ExportPkcs8Pem());
        var store = StoreOf(ProtectionFixture.Around(_storage));
        await store.WriteAccountAsync("ca", record, lease: null, Cancelled);

        Assert.DoesNotContain("BEGIN PRIVATE KEY", await RawAsync(StorageLayout.Account("ca")), StringComparison.Ordinal);
        var read = await store.ReadAccountAsync("ca", Cancelled);
        Assert.Equal((first.Thumbprint, second.Thumbprint), (ThumbprintOf(read!.PrivateKeyPem), ThumbprintOf(read.NextPrivateKeyPem!)));
    }

    [Fact]
    public async Task AcmeDns_Protected_PasswordIsHiddenAndNeedsTheProtector()
    {
        var server = new Uri("https://acme-dns.test");
        var registration = new AcmeDnsRegistration
        {
            Username = "user", Password = Password, Subdomain = "sub", Fulldomain = "sub.acme-dns.test",
        };
        var registrations = new AcmeDnsRegistrations(ProtectionFixture.Around(_storage), server, NullLogger.Instance);
        await registrations.AddAsync("_acme-challenge.app.test", registration, Cancelled);

        var key = Assert.Single(await _storage.ListAsync(AcmeDnsRegistrations.Prefix, Cancelled).ToListAsync(Cancelled));
        Assert.DoesNotContain("secret-of-acme-dns", await RawAsync(key), StringComparison.Ordinal);
        Assert.Equal(Password, (await registrations.FindAsync("_acme-challenge.app.test", Cancelled))!.Password);

        var without = new AcmeDnsRegistrations(BoundedFixture.Around(_storage), server, NullLogger.Instance);
        var failure = await Assert.ThrowsAsync<DnsProviderException>(
            () => without.FindAsync("_acme-challenge.app.test", Cancelled));
        Assert.Contains("ProtectKeysWith", failure.Message, StringComparison.Ordinal);
        Assert.Single(await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled));
    }

    [Theory]
    [InlineData("certificates/app.test.pem")]
    [InlineData("states/app.test.json")]
    [InlineData("accounts/ca.pem")]
    public async Task Read_ProtectorIsMissing_IsUnavailableAndLeftInPlace(string key)
    {
        await FillAsync();
        var before = await RawAsync(key);

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(() => ReadAsync(BoundedFixture.Around(_storage), key));

        Assert.Contains(key, failure.Message, StringComparison.Ordinal);
        Assert.Contains("ProtectKeysWith", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, await RawAsync(key));
        Assert.DoesNotContain(await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled), StorageDamage.IsSetAside);
    }

    [Theory]
    [InlineData("certificates/app.test.pem")]
    [InlineData("states/app.test.json")]
    [InlineData("accounts/ca.pem")]
    public async Task Read_AnotherCertificate_NamesTheOneThatIsMissing(string key)
    {
        await FillAsync();
        var storage = ProtectionFixture.Around(
            _storage, ProtectionFixture.Protection(new CertificateKeyProtector(ProtectionFixture.Earlier, [])));

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(() => ReadAsync(storage, key));

        var id = SHA256.HashData(ProtectionFixture.Certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Contains(Convert.ToHexStringLower(id), failure.Message, StringComparison.Ordinal);
        Assert.Null(storage.Monitor.Fault);
    }

    [Fact]
    public async Task Read_CopiedFromAnotherKey_IsRefused()
    {
        var storage = ProtectionFixture.Around(_storage);
        await StoredCertificates.WriteAsync(storage, "a.test", null, "a.test");
        var raw = await _storage.ReadAsync(StorageLayout.Certificate("a.test"), Cancelled);
        await _storage.WriteAsync(StorageLayout.Certificate("b.test"), raw!.Value, cancellationToken: Cancelled);

        Assert.NotNull(await StoreOf(storage).ReadCertificateAsync("a.test", Cancelled));
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            () => StoreOf(storage).ReadCertificateAsync("b.test", Cancelled));
        Assert.Contains("copied", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_OneOfManyCannotBeDecrypted_TheOthersAreRead()
    {
        var storage = ProtectionFixture.Around(_storage);
        await StoredCertificates.WriteAsync(storage, "a.test", null, "a.test");
        await StoredCertificates.WriteAsync(storage, "b.test", null, "b.test");
        var raw = await _storage.ReadAsync(StorageLayout.Certificate("a.test"), Cancelled);
        await _storage.WriteAsync(StorageLayout.Certificate("c.test"), raw!.Value, cancellationToken: Cancelled);

        var failed = new List<string>();
        var read = await StoreOf(storage).ReadCertificatesAsync(["a.test", "b.test", "c.test"], failed.Add, Cancelled)
            .Select(c => c.Id).ToListAsync(Cancelled);

        Assert.Equal(["a.test", "b.test"], read.Order());
        Assert.Equal(["c.test"], failed);
    }

    [Fact]
    public async Task Read_EarlierCertificate_IsReadAndToBeWrittenAgain()
    {
        var earlier = ProtectionFixture.Around(
            _storage, ProtectionFixture.Protection(new CertificateKeyProtector(ProtectionFixture.Earlier, [])));
        await StoredCertificates.WriteAsync(earlier, Id, null, Id);
        var protection = ProtectionFixture.Protection(
            new CertificateKeyProtector(ProtectionFixture.Certificate, [ProtectionFixture.Earlier]));
        var storage = ProtectionFixture.Around(_storage, protection);
        var key = StorageLayout.Certificate(Id);

        var value = await storage.ReadAsync(key, Cancelled);
        Assert.True(protection.IsOutdated(key));
        await storage.WriteAsync(key, value!.Value, cancellationToken: Cancelled);

        Assert.False(protection.IsOutdated(key));
        Assert.NotNull(await StoreOf(ProtectionFixture.Around(_storage)).ReadCertificateAsync(Id, Cancelled));
    }

    [Fact]
    public async Task Write_ProtectorFails_NothingIsStored()
    {
        var storage = ProtectionFixture.Around(_storage, ProtectionFixture.Protection(new DownProtector()));

        await Assert.ThrowsAsync<StorageUnavailableException>(() => StoredCertificates.WriteAsync(storage, Id, null, Id));

        Assert.Empty(await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled));
    }

    [Theory]
    [InlineData("certificates/app.test.pem")]
    [InlineData("states/app.test.json")]
    [InlineData("accounts/ca.pem")]
    public async Task Read_StoredInAnotherEncoding_IsUnavailableAndLeftInPlace(string key)
    {
        await FillAsync();
        await _storage.WriteAsync(key, Encoding.Unicode.GetBytes(await RawAsync(key)), cancellationToken: Cancelled);

        await Assert.ThrowsAsync<StorageUnavailableException>(() => ReadAsync(ProtectionFixture.Around(_storage), key));

        Assert.NotNull(await _storage.ReadAsync(key, Cancelled));
    }

    [Fact]
    public async Task Read_StateIsCutOffBehindItsKey_CountsAsDamaged()
    {
        await FillAsync();
        var key = StorageLayout.State(Id);
        await _storage.WriteAsync(key, (await _storage.ReadAsync(key, Cancelled))!.Value[..^20], cancellationToken: Cancelled);

        Assert.Null(await StoreOf(ProtectionFixture.Around(_storage)).ReadStateAsync(Id, Cancelled));

        Assert.True(SecretParts.IsAnyProtected(Encoding.UTF8.GetBytes(await RawAsync(key + ".damaged"))));
    }

    [Fact]
    public async Task SetAside_DamagedValue_IsEncryptedAsAWhole()
    {
        var storage = ProtectionFixture.Around(_storage);
        var damaged = "-----BEGIN PRIVATE KEY-----\nAAAA"u8.ToArray();
        await storage.WriteAsync("accounts/ca.pem", damaged, cancellationToken: Cancelled);

        Assert.Null(await StoreOf(storage).ReadAccountAsync("ca", Cancelled));

        Assert.DoesNotContain("BEGIN PRIVATE KEY", await RawAsync("accounts/ca.pem.damaged"), StringComparison.Ordinal);
        Assert.Equal(damaged, (await storage.ReadAsync("accounts/ca.pem.damaged", Cancelled))!.Value.ToArray());
    }

    [Fact]
    public async Task DataProtection_RingIsRotated_OldKeysAreReadAndOutdated()
    {
        using var folder = new TemporaryFolder();
        using var first = DataProtection(folder.Path);
        var secret = "secret"u8.ToArray();
        var ciphertext = await Protector(first).ProtectAsync(secret, "certificates/a.pem", Cancelled);
        Assert.False((await Protector(first).UnprotectAsync(ciphertext, "certificates/a.pem", Cancelled)).IsOutdated);
        var now = TimeProvider.System.GetUtcNow();
        first.GetRequiredService<IKeyManager>().CreateNewKey(now, now.AddDays(90));

        using var second = DataProtection(folder.Path);
        var opened = await Protector(second).UnprotectAsync(ciphertext, "certificates/a.pem", Cancelled);

        Assert.Equal(secret, opened.Key.ToArray());
        Assert.True(opened.IsOutdated);
        await Assert.ThrowsAsync<KeyProtectionException>(
            () => Protector(second).UnprotectAsync(ciphertext, "certificates/b.pem", Cancelled).AsTask());
        using var other = new TemporaryFolder();
        using var third = DataProtection(other.Path);
        var failure = await Assert.ThrowsAsync<KeyProtectionException>(
            () => Protector(third).UnprotectAsync(ciphertext, "certificates/a.pem", Cancelled).AsTask());
        Assert.Contains("key ring", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificate_WithoutRsaKey_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ec", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var withoutKey = X509CertificateLoader.LoadCertificate(ProtectionFixture.Certificate.RawData);

        Assert.Throws<ArgumentException>(() => new CertificateKeyProtector(certificate, []));
        Assert.Throws<ArgumentException>(() => new CertificateKeyProtector(withoutKey, []));
    }

    private static ServiceProvider DataProtection(string path)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IHostEnvironment>(new Microsoft.Extensions.Hosting.Internal.HostingEnvironment { ContentRootPath = "/app" });
        services.AddDataProtection().SetApplicationName("tests").PersistKeysToFileSystem(new DirectoryInfo(path));
        services.AddSingleton<DataProtectionKeyProtector>();
        return services.BuildServiceProvider();
    }

    private static DataProtectionKeyProtector Protector(ServiceProvider provider)
        => provider.GetRequiredService<DataProtectionKeyProtector>();

    private static CertificateStore StoreOf(BoundedStorage storage) => new(storage, NullLogger<CertificateStore>.Instance);

    private static string ThumbprintOf(string pem)
    {
        using var key = AccountKey.FromPem(pem);
        return key.Thumbprint;
    }

    private static Task ReadAsync(BoundedStorage storage, string key)
    {
        var store = StoreOf(storage);
        return key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal) ? store.ReadCertificateAsync(Id, Cancelled)
            : key.StartsWith(StorageLayout.StatesPrefix, StringComparison.Ordinal) ? store.ReadStateAsync(Id, Cancelled)
            : store.ReadAccountAsync("ca", Cancelled);
    }

    private async Task FillAsync()
    {
        var storage = ProtectionFixture.Around(_storage);
        await StoredCertificates.WriteAsync(storage, Id, CertificateStateRecord.Empty with { StoredOrder = Order }, Id);
        using var key = AccountKey.Generate();
        var metadata = new AccountMetadata { DirectoryUrl = new Uri("https://ca.test/directory"), CreatedAt = default };
        await StoreOf(storage).WriteAccountAsync("ca", new AccountRecord(key.ExportPkcs8Pem(), metadata), lease: null, Cancelled);
    }

    private async Task<string> RawAsync(string key) => Encoding.UTF8.GetString((await _storage.ReadAsync(key, Cancelled))!.Value.Span);

    private sealed class DownProtector : IKeyProtector
    {
        public string Name => "kms";

        public ValueTask<ReadOnlyMemory<byte>> ProtectAsync(ReadOnlyMemory<byte> key, string purpose, CancellationToken cancellationToken)
            => throw new HttpRequestException("503");

        public ValueTask<UnprotectedKey> UnprotectAsync(
            ReadOnlyMemory<byte> protectedKey, string purpose, CancellationToken cancellationToken)
            => throw new HttpRequestException("503");
    }
}
