using System.Security.Cryptography;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class TlsCertificateTableTests
{
    private static readonly TestAuthority Authority = new();

    private readonly CertificateContexts _contexts;
    private readonly TlsCertificateTable _table;

    public TlsCertificateTableTests()
    {
        var settings = new FixedTlsSettings(new TlsSettings { ContextCacheSize = 3 });
        _contexts = new CertificateContexts(
            settings,
            new SessionPins(settings, TimeProvider.System, NullLogger<SessionPins>.Instance),
            TimeProvider.System,
            NullLogger<CertificateContexts>.Instance);
        _table = new TlsCertificateTable(settings, _contexts, TimeProvider.System, NullLogger<TlsCertificateTable>.Instance);
    }

    [Fact]
    public void Publish_NewCertificate_ContextMadeBefore()
    {
        _table.Publish(Authority.Issue("a.test"));
        Assert.NotNull(Find("a.test")?.Context);
    }

    [Fact]
    public void Publish_OtherNames_OldOnesGone()
    {
        _table.Publish(Authority.Issue(["a.test", "b.test"], Key(), "id"));
        _table.Publish(Authority.Issue(["b.test", "c.test"], Key(), "id"));

        Assert.Null(Find("a.test"));
        Assert.Same(Find("b.test"), Find("c.test"));
    }

    [Fact]
    public void Publish_MismatchedKey_IsRejectedAndOldServed()
    {
        var good = Authority.Issue("a.test");
        _table.Publish(good);
        var bad = Authority.Issue("a.test") with { PrivateKey = Key().ExportPkcs8PrivateKey() };

        Assert.Throws<InvalidCertificateException>(() => _table.Publish(bad));
        Assert.Equal(good.Chain[0].ToArray(), Find("a.test")!.Chain[0].ToArray());
    }

    [Fact]
    public void PublishStored_InvalidOnes_AreReportedAndTheRestServed()
    {
        using var rsa = RSA.Create(2048);
        var good = Authority.Issue("a.test");
        var rsaGood = Authority.Issue(["r.test"], rsa);
        var outOfOrder = Authority.Issue("b.test") is var b ? b with { Chain = [b.Chain[0], Authority.Root.RawData, b.Chain[1]] } : b;
        var garbage = Authority.Issue("c.test") with { Chain = [new byte[] { 0x30, 0x82, 0xFF, 0xFF, 1 }] };
        var empty = Authority.Issue("d.test") with { Chain = [] };
        var mixed = Authority.Issue("e.test") with { PrivateKey = rsa.ExportPkcs8PrivateKey() };
        var noKey = Authority.Issue("f.test") with { PrivateKey = Array.Empty<byte>() };

        var refused = _table.PublishStored([good, rsaGood, outOfOrder, garbage, empty, mixed, noKey]);

        Assert.Equal(["b.test", "c.test", "d.test", "e.test", "f.test"], refused.Keys.Order());
        Assert.NotNull(Find("a.test"));
        Assert.Equal(KeyKinds.Rsa, Find("r.test")!.KeyKind);
    }

    [Fact]
    public void Publish_KeyWithoutPublicPoint_Accepted()
    {
        using var key = Key();
        var parameters = key.ExportParameters(true);
        var material = Authority.Issue(["a.test"], key) with { PrivateKey = Pkcs8WithoutPoint(parameters.D!) };
        _table.Publish(material);
        Assert.NotNull(Find("a.test"));
    }

    [Fact]
    public async Task GetAsync_ManyAtOnce_OneContext()
    {
        _table.PublishStored([Authority.Issue("a.test")]);
        var entry = Find("a.test")!;

        var contexts = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(() => _contexts.GetAsync(entry).AsTask(), TestContext.Current.CancellationToken)));

        Assert.Single(contexts.Distinct());
    }

    [Fact]
    public async Task GetAsync_MoreThanTheCacheHolds_LeastRecentlyUsedDropped()
    {
        var entries = Enumerable.Range(0, 4).Select(i => $"n{i}.test").ToList();
        _table.PublishStored([.. entries.Select(name => Authority.Issue(name))]);
        for (var i = 0; i < 3; i++)
        {
            await _contexts.GetAsync(Find(entries[i])!);
        }

        Find(entries[0])!.Touch(TimeProvider.System);
        await _contexts.GetAsync(Find(entries[3])!);

        Assert.Equal(3, _contexts.Count);
        Assert.NotNull(Find(entries[0])!.Context);
        Assert.Null(Find(entries[1])!.Context);
    }

    [Fact]
    public void Withdraw_Published_Gone()
    {
        _table.Publish(Authority.Issue("a.test"));
        _table.Withdraw("a.test");
        Assert.Null(Find("a.test"));
        Assert.Equal(0, _contexts.Count);
    }

    [Fact]
    public void SetRetired_Ecdsa_PrefersRsaUntilReset()
    {
        _table.Publish(Authority.Issue(["a.test"], Key(), "ecdsa"));
        _table.Publish(Authority.Issue(["a.test"], RSA.Create(2048), "rsa"));
        Assert.Equal("ecdsa", Find("a.test")!.Id);

        _table.SetRetired("ecdsa", isRetired: true);
        Assert.Equal("rsa", Find("a.test")!.Id);
        Assert.Equal("ecdsa", _table.Find("a.test", KeyKinds.EcdsaP256)!.Id);

        _table.SetRetired("ecdsa", isRetired: false);
        Assert.Equal("ecdsa", Find("a.test")!.Id);
        _table.SetRetired("unknown", isRetired: true);
    }

    [Fact]
    public void Publish_SharedIssuer_KeptOnce()
    {
        _table.PublishStored([Authority.Issue("a.test"), Authority.Issue("b.test")]);
        Assert.True(Find("a.test")!.Chain[1].Equals(Find("b.test")!.Chain[1]));
    }

    private static ECDsa Key() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    // PKCS #8 with an ECPrivateKey that contains only the scalar.
    private static byte[] Pkcs8WithoutPoint(byte[] scalar) =>
    [
        0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,
        0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20, .. scalar,
    ];

    private CertificateEntry? Find(string name) => _table.Find(name, KeyKinds.Ecdsa | KeyKinds.Rsa);
}
