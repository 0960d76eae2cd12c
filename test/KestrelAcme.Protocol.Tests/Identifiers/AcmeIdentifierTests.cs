using System.Net;
using KestrelAcme.Protocol.Identifiers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Identifiers;

public sealed class AcmeIdentifierTests
{
    [Theory]
    [InlineData("Example.COM.", "example.com")]
    [InlineData("*.Example.com", "*.example.com")]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("*.bücher.example", "*.xn--bcher-kva.example")]
    public void Dns_Name_IsCanonical(string name, string canonical) => Assert.Equal(canonical, AcmeIdentifier.Dns(name).Value);

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:0DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    [InlineData("::192.0.2.1", "::c000:201")]
    [InlineData("fe80::1%3", "fe80::1")]
    [InlineData("::", "::")]
    [InlineData("1::", "1::")]
    [InlineData("::1", "::1")]
    public void Ip_Address_IsAsRfc5952WritesIt(string text, string canonical)
    {
        var identifier = AcmeIdentifier.Ip(IPAddress.Parse(text));

        Assert.Equal(canonical, identifier.Value);
        Assert.Equal(AcmeIdentifierTypes.Ip, identifier.Type);
    }

    [Fact]
    public void FromDocument_ServersSpelling_EqualsOurs()
    {
        Assert.Equal(
            AcmeIdentifier.Dns("a.example"), AcmeIdentifier.FromDocument(new IdentifierDocument { Type = "dns", Value = "A.example" }));
        Assert.Equal(
            AcmeIdentifier.Ip(IPAddress.IPv6Loopback),
            AcmeIdentifier.FromDocument(new IdentifierDocument { Type = "ip", Value = "0:0::1" }));
    }

    [Fact]
    public void FromDocument_UnknownOrOdd_IsNeverFatal()
    {
        Assert.Equal("x", AcmeIdentifier.FromDocument(new IdentifierDocument { Type = "new-type", Value = "x" })!.Value);
        Assert.Equal(
            "not an address", AcmeIdentifier.FromDocument(new IdentifierDocument { Type = "ip", Value = "not\nan address" })!.Value);
        Assert.Null(AcmeIdentifier.FromDocument(new IdentifierDocument { Type = "dns" }));
        Assert.Null(AcmeIdentifier.FromDocument(null));
    }

    [Fact]
    public void Parse_NameOrAddress_TellsThemApart()
    {
        Assert.True(AcmeIdentifier.Parse("example.com").IsDns);
        Assert.True(AcmeIdentifier.Parse("192.0.2.1").IsIp);
        Assert.Throws<ArgumentException>(() => AcmeIdentifier.Parse(" "));
    }
}
