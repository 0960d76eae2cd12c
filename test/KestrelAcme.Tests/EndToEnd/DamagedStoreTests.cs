using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Persistence;
using KestrelAcme.Tests.Storage.Bounded;
using KestrelAcme.Tests.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store that somebody damaged, or wrote to: what fits together is served and kept, what does not is not believed.</summary>
public sealed class DamagedStoreTests
{
    private const string Name = "app.test";
    private static readonly string[] Names = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Bookkeeping => [.. StoreDamage.Bookkeeping];

    [Theory]
    [MemberData(nameof(Bookkeeping))]
    public async Task Start_BookkeepingOfEveryValueIsDamaged_AllIsServedAndNothingIsOrdered(string damage)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Names);
        foreach (var folder in new[] { "certificates", "accounts" })
        {
            foreach (var file in Directory.GetFiles(Path.Join(fixture.StorePath, folder)))
            {
                await File.WriteAllBytesAsync(file, StoreDamage.Apply(damage, await File.ReadAllBytesAsync(file, Cancelled)), Cancelled);
            }
        }

        await using var second = await fixture.StartAppAsync(fixture.Settings(Names), configure: QuickIssuance.Apply);
        foreach (var name in Names)
        {
            var leaf = await second.ConnectAsync(name, Cancelled);
            Assert.Contains(fixture.Authority.Issued, c => c.SerialNumber == leaf.SerialNumber);
        }

        await second.Certificates.RenewAsync(Names[0], Cancelled);

        Assert.Equal(Names.Length + 1, fixture.Authority.Issued.Count);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.DoesNotContain(Directory.GetFiles(fixture.StorePath, "*.damaged", SearchOption.AllDirectories), _ => true);
    }

    [Fact]
    public async Task Start_MetadataOfManyIsGone_IsSaidAndWrittenAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Names);
        var files = Directory.GetFiles(Path.Join(fixture.StorePath, "certificates"));
        foreach (var file in files)
        {
            await File.WriteAllBytesAsync(file, StoreDamage.Apply("no-metadata", await File.ReadAllBytesAsync(file, Cancelled)), Cancelled);
        }

        await using var second = await fixture.StartAppAsync(fixture.Settings(Names), configure: QuickIssuance.Apply);

        await Poll.UntilAsync(
            async token => (await Task.WhenAll(files.Select(f => File.ReadAllTextAsync(f, token)))).All(
                t => t.StartsWith("KestrelAcme-Metadata: ", StringComparison.Ordinal)),
            () => $"all are written again\n{second.Log}",
            cancellationToken: Cancelled);
        Assert.True(second.Log.Has("ManyValuesDamaged"));
        Assert.True(second.Log.Has("CertificateRepaired"));
        Assert.Equal(Names.Length, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Order_AccountLeadsElsewhere_IsLookedUpByItsKey()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        var file = Directory.GetFiles(Path.Join(fixture.StorePath, "accounts")).Single();
        var text = await File.ReadAllTextAsync(file, Cancelled);
        var record = AccountFile.Decode(System.Text.Encoding.UTF8.GetBytes(text));
        await File.WriteAllTextAsync(
            file,
            text.Replace(record.Metadata.AccountUrl!.AbsoluteUri, "https://elsewhere.test/account/1", StringComparison.Ordinal),
            Cancelled);

        await using var second = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);
        await second.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(record.Metadata.AccountUrl, AccountFile.Decode(await File.ReadAllBytesAsync(file, Cancelled)).Metadata.AccountUrl);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.True(second.Log.Has("AccountRepaired"));
    }

    [Fact]
    public async Task Order_StoredOneLeadsElsewhere_IsNotAskedForThere()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        var account = AccountFile.Decode(
            await File.ReadAllBytesAsync(Directory.GetFiles(Path.Join(fixture.StorePath, "accounts")).Single(), Cancelled));
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var state = new CertificateStateRecord
        {
            State = CertificateState.Renewing,
            StoredOrder = new StoredOrder
            {
                Names = [Name],
                KeyAlgorithm = "EcdsaP256",
                PrivateKey = CertificateKeys.Generate(KestrelAcme.Configuration.KeyAlgorithm.EcdsaP256),
                DirectoryUrl = account.Metadata.DirectoryUrl,
                AccountUrl = account.Metadata.AccountUrl!,
                At = TimeProvider.System.GetUtcNow(),
                OrderUrl = new Uri($"https://{listener.LocalEndpoint}/order/1"),
            },
        };
        await File.WriteAllBytesAsync(Path.Join(fixture.StorePath, "states", Name + ".json"), StateFile.Encode(state), Cancelled);

        await using var second = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);

        await Poll.UntilAsync(() => fixture.Authority.Issued.Count == 2, () => $"a new order\n{second.Log}", cancellationToken: Cancelled);
        Assert.True(second.Log.Has("OrderDropped"));
        Assert.False(listener.Pending());
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("not-yet-valid")]
    [InlineData("other-names")]
    [InlineData("self-signed")]
    public async Task Run_WorseCertificateIsPutIntoTheStore_IsNotTakenOver(string fault)
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);
        await app.ObtainedAsync(Name);
        var serial = app.Certificates.Find(Name)!.SerialNumber;
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);

        await PlantAsync(storage, fault);

        await Poll.UntilAsync(() => app.Log.Has("StoredCertificateWorse"), () => $"it is seen\n{app.Log}", cancellationToken: Cancelled);
        Assert.Equal(serial, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.Equal(serial, app.Certificates.Find(Name)!.SerialNumber);
        if (fault != "not-yet-valid")
        {
            // The next start must find the good one.
            await Poll.UntilAsync(
                async _ => await StoredSerialAsync(storage) == serial,
                () => $"the good one is stored again\n{app.Log}",
                cancellationToken: Cancelled);
        }

        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Start_CertificateForOtherNames_IsNotServedAndReplaced()
    {
        var storage = new InMemoryStorage();
        await PlantAsync(storage, "other-names");
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);

        await app.ObtainedAsync(Name);

        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.NotNull(await storage.ReadAsync(StorageLayout.Certificate(Name) + ".damaged", Cancelled));
    }

    [Fact]
    public async Task Run_LaterOneWithAnEarlierDateInTheFuture_IsJudgedByItsLeaf()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);
        await app.ObtainedAsync(Name);
        var serial = app.Certificates.Find(Name)!.SerialNumber;

        // A good certificate, but older than the one that is served, whatever it says of itself.
        await PlantAsync(storage, "none");
        await PlantAsync(storage, "other-names", "seen.test");
        await app.Certificates.AddDomainsAsync(["seen.test"], Cancelled);

        await Poll.UntilAsync(
            () => app.Log.Has("StoredCertificateRefused"),
            () => $"the store was looked at\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(serial, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
    }

    private static async Task PlantAsync(IAcmeStorage storage, string fault, string name = Name)
    {
        var now = TimeProvider.System.GetUtcNow();
        var authority = new TestAuthority();
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var material = fault switch
        {
            "expired" => authority.Issue([name], key, notBefore: now.AddDays(-90), notAfter: now.AddDays(-1)),
            "not-yet-valid" => authority.Issue([name], key, notBefore: now.AddDays(30), notAfter: now.AddDays(90)),
            "other-names" => authority.Issue(["victim.test"], key),
            "self-signed" => SelfSigned.Issue(name, key),
            _ => authority.Issue([name], key, notBefore: now.AddDays(-2)),
        };
        var store = new CertificateStore(BoundedFixture.Around(storage), NullLogger<CertificateStore>.Instance);
        var record = new CertificateRecord(material.Chain, material.PrivateKey, new CertificateMetadata
        {
            Names = [name],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://acme-v02.api.letsencrypt.org/directory"),
            AccountUrl = new Uri("https://acme-v02.api.letsencrypt.org/acme/acct/1"),
            ObtainedAt = now.AddYears(10),
            Jitter = 0.5,
        });
        await store.WriteCertificateAsync(name, record, lease: null, Cancelled);
    }

    private static async Task<string?> StoredSerialAsync(InMemoryStorage storage)
        => await storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled) is { } value
            ? CertificateSnapshot.Read(CertificateFile.Decode(value.Span, new SharedParts())).SerialNumber
            : null;
}
