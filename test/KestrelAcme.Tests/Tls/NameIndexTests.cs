using System.Net;
using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class NameIndexTests
{
    private const KeyKinds All = KeyKinds.Ecdsa | KeyKinds.Rsa;
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly NameIndex _index = new();

    [Theory]
    [InlineData("a.test", "exact")]
    [InlineData("x.a.test", "wildcard")]
    [InlineData("x.y.a.test", null)]
    [InlineData("test", null)]
    [InlineData("b.test", null)]
    public void Find_Name_ExactOrOneLabel(string name, string? expected)
    {
        Add("exact", ["a.test"]);
        Add("wildcard", ["*.a.test"]);

        Assert.Equal(expected, Find(name)?.Id);
    }

    [Fact]
    public void Find_WildcardOnly_NotTheApex()
    {
        Add("wildcard", ["*.a.test"]);
        Assert.Null(Find("a.test"));
    }

    [Fact]
    public void Find_Several_ExactThenValidLongest()
    {
        Add("wildcard", ["*.a.test"], days: 300);
        Add("short", ["www.a.test"], days: 10);
        Add("long", ["www.a.test"], days: 20);

        Assert.Equal("long", Find("www.a.test")?.Id);
    }

    [Fact]
    public void Find_ExactExpired_ValidWildcard()
    {
        Add("expired", ["www.a.test"], days: -1);
        Add("wildcard", ["*.a.test"]);

        Assert.Equal("wildcard", Find("www.a.test")?.Id);
    }

    [Fact]
    public void Find_ExactNotYetValid_PrefersValidOneUntilThen()
    {
        Add("early", ["www.a.test"], days: 120, from: 30);
        Add("old", ["www.a.test"], days: 40);
        Add("wildcard", ["*.b.test"]);
        Add("earlier than b", ["www.b.test"], days: 120, from: 30);

        Assert.Equal("old", Find("www.a.test")?.Id);
        Assert.Equal("wildcard", Find("www.b.test")?.Id);
        Assert.Equal("early", _index.Find("www.a.test", All, Now.AddDays(30).UtcTicks)?.Id);
    }

    [Fact]
    public void Find_NotYetValidOnly_Served()
    {
        Add("early", ["a.test"], days: 120, from: 30);
        Assert.Equal("early", Find("a.test")?.Id);
    }

    [Fact]
    public void Find_ExpiredOnly_Expired()
    {
        Add("expired", ["a.test"], days: -1);
        Assert.Equal("expired", Find("a.test")?.Id);
    }

    [Theory]
    [InlineData(All, "ecdsa")]
    [InlineData(KeyKinds.EcdsaP256, "ecdsa")]
    [InlineData(KeyKinds.EcdsaP384, "ecdsa")]
    [InlineData(KeyKinds.Rsa, "rsa")]
    [InlineData(KeyKinds.None, "ecdsa")]
    public void Find_EcdsaAndRsa_ByWhatTheClientAccepts(object accepted, string expected)
    {
        Add("rsa", ["a.test"], days: 80, kind: KeyKinds.Rsa);
        Add("ecdsa", ["a.test"], days: 60);

        // A client that accepts P-384 only cannot use this ECDSA certificate, and gets RSA only if it accepts that.
        Assert.Equal(expected, Find("a.test", (KeyKinds)accepted)?.Id);
    }

    [Fact]
    public void Find_Address_ItsOwnThenTheSoleOne()
    {
        var slot = Add("v4", ["192.0.2.1"]);
        Assert.Equal("v4", FindAddress("10.0.0.1")?.Id);
        Assert.Null(FindAddress("10.0.0.1", exactly: true));
        Assert.Equal("v4", FindAddress("192.0.2.1", exactly: true)?.Id);
        Assert.Equal("v4", _index.Find((IPAddress?)null, exactly: false, All, Now.UtcTicks)?.Id);

        var other = Add("v6", ["2001:db8::1"]);
        Assert.Equal("v4", FindAddress("192.0.2.1")?.Id);
        Assert.Equal("v6", FindAddress("2001:0DB8::1")?.Id);
        Assert.Null(FindAddress("10.0.0.1"));

        _index.Remove("2001:db8::1", other);
        Assert.Equal("v4", FindAddress("10.0.0.1")?.Id);
        _index.Remove("192.0.2.1", slot);
        Assert.Null(FindAddress("192.0.2.1"));
    }

    [Fact]
    public void Find_Name_AllocatesNothing()
    {
        Add("exact", ["a.test"]);
        Add("wildcard", ["*.a.test"]);
        Find("a.test");
        Find("x.a.test");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Find("a.test");
            Find("x.a.test");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private CertificateSlot Add(string id, string[] names, int days = 30, KeyKinds kind = KeyKinds.EcdsaP256, int from = -60)
    {
        var material = new CertificateMaterial(id, names, [], default, Now.AddDays(from), Now.AddDays(days));
        var slot = new CertificateSlot { Current = new CertificateEntry(material, [], kind) };
        Array.ForEach(names, name => _index.Add(name, slot));
        return slot;
    }

    private CertificateEntry? Find(string name, KeyKinds accepted = All) => _index.Find(name, accepted, Now.UtcTicks);

    private CertificateEntry? FindAddress(string address, bool exactly = false)
        => _index.Find(IPAddress.Parse(address), exactly, All, Now.UtcTicks);
}
