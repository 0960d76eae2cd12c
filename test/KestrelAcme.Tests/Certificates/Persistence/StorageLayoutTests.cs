using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

public sealed class StorageLayoutTests
{
    [Theory]
    [InlineData("example.com", true)]
    [InlineData("*.example.com", true)]
    [InlineData("xn--bcher-kva.example", true)]
    [InlineData("192.0.2.1", true)]
    [InlineData("con.example", true)]
    [InlineData("2001:db8::1", false)]
    public void DomainOf_KeyOfAName_IsThatNameOrUnknown(string text, bool known)
    {
        var name = DomainNameParser.Parse(text).Identifier!;
        Assert.Equal(known ? name : null, StorageLayout.DomainOf(StorageLayout.Domain(name)));
    }

    [Fact]
    public void DomainOf_KeyOfAVeryLongName_IsUnknown()
    {
        var label = new string('a', 60);
        var name = DomainNameParser.Parse($"{label}.{label}.{label}.example").Identifier!;
        Assert.Null(StorageLayout.DomainOf(StorageLayout.Domain(name)));
    }

    [Fact]
    public void DomainOf_TheMark_IsUnknown() => Assert.Null(StorageLayout.DomainOf(StorageLayout.DomainsMark));
}
