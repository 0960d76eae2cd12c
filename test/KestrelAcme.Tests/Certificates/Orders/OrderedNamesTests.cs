using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using Xunit;
using IPAddress = System.Net.IPAddress;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class OrderedNamesTests
{
    private static readonly OrderedNames Ordered = OrderedNames.Of(new CertificateSpecification
    {
        Id = "app.test",
        Identifiers =
        [
            new(IdentifierKind.Dns, "app.test"), new(IdentifierKind.Dns, "*.wild.test"), new(IdentifierKind.Dns, "xn--bcher-kva.test"),
            new(IdentifierKind.Ip, "2001:db8::1"), new(IdentifierKind.Ip, "192.0.2.1"),
        ],
        KeyAlgorithm = KeyAlgorithm.EcdsaP256,
        ChallengeTypes = ["http-01"],
    });

    [Theory]
    [InlineData("app.test", false, "app.test", false)]
    [InlineData("APP.Test", false, "app.test", false)]
    [InlineData("app.test.", false, "app.test", false)]
    [InlineData("wild.test", true, "wild.test", true)]
    [InlineData("Wild.TEST.", true, "wild.test", true)]
    [InlineData("*.wild.test", false, "wild.test", true)]
    [InlineData("*.wild.test", true, "wild.test", true)]
    [InlineData("b\u00fccher.test", false, "xn--bcher-kva.test", false)]
    public void Require_Ordered_IsInItsNormalForm(string value, bool wildcard, string name, bool isWildcard)
    {
        var authorization = Ordered.Require(Make(AcmeIdentifier.Dns(value), wildcard));

        Assert.Equal((name, isWildcard), (authorization.Identifier.Value, authorization.Wildcard));
    }

    [Theory]
    [InlineData("app.test", true)]
    [InlineData("wild.test", false)]
    [InlineData("test", false)]
    [InlineData("victim.test", false)]
    [InlineData("www.app.test", false)]
    [InlineData("a.wild.test", false)]
    [InlineData("*.app.test", false)]
    [InlineData("*.*.wild.test", true)]
    [InlineData("192.0.2.1", false)]
    public void Require_NotOrdered_IsRefused(string value, bool wildcard)
    {
        var exception = Assert.Throws<AcmeMalformedResponseException>(() => Ordered.Require(Make(AcmeIdentifier.Dns(value), wildcard)));

        Assert.Contains("which was not ordered", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_Addresses_AreComparedAsAddresses()
    {
        Assert.Equal("2001:db8::1", Ordered.Require(Make(AcmeIdentifier.Ip(IPAddress.Parse("2001:DB8:0::0001")), false)).Identifier.Value);
        Assert.Equal("192.0.2.1", Ordered.Require(Make(AcmeIdentifier.Ip(IPAddress.Parse("::ffff:192.0.2.1")), false)).Identifier.Value);
        Assert.Throws<AcmeMalformedResponseException>(() => Ordered.Require(Make(AcmeIdentifier.Ip(IPAddress.Parse("192.0.2.2")), false)));
        Assert.Throws<AcmeMalformedResponseException>(() => Ordered.Require(Make(AcmeIdentifier.Ip(IPAddress.Parse("192.0.2.1")), true)));
    }

    [Fact]
    public void ThrowIfTooMany_MoreThanNamesCouldNeed_Throws()
    {
        var order = new Uri("https://ca.test/order/1");

        Ordered.ThrowIfTooMany(Ordered.MostAuthorizations, order);
        Assert.Throws<AcmeMalformedResponseException>(() => Ordered.ThrowIfTooMany(Ordered.MostAuthorizations + 1, order));
    }

    private static Authorization Make(AcmeIdentifier identifier, bool wildcard)
        => new() { Url = new Uri("https://ca.test/authz/1"), Identifier = identifier, Wildcard = wildcard };
}
