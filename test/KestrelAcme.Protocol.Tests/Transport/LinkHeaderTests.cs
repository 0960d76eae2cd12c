using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class LinkHeaderTests
{
    private static readonly Uri Base = new("https://acme.test/cert/1");

    [Fact]
    public void Parse_SeveralInOneAndMany_AllFound()
    {
        var links = LinkHeader.Parse(
            ["</cert/1/1>; rel=\"alternate\", <2?a,b>; title=\"x, <y>\"; rel=alternate", "<https://acme.test/dir>;rel=\"index up\""],
            Base, Base);

        Assert.Equal(
            [
                ("https://acme.test/cert/1/1", "alternate"),
                ("https://acme.test/cert/2?a,b", "alternate"),
                ("https://acme.test/dir", "index"),
                ("https://acme.test/dir", "up"),
            ],
            links.Select(link => (link.Url.AbsoluteUri, link.Relation)));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("<no end")]
    [InlineData("</a>")]
    [InlineData("<http://other.test/>; rel=alternate")]
    [InlineData("<javascript:alert(1)>; rel=alternate")]
    public void Parse_Garbage_IsLeftOut(string value) => Assert.Empty(LinkHeader.Parse([value], Base, Base));

    [Fact]
    public void Parse_Flood_IsBounded() =>
        Assert.Equal(64, LinkHeader.Parse([string.Join(',', Enumerable.Repeat("</a>; rel=alternate", 5000))], Base, Base).Count);
}
