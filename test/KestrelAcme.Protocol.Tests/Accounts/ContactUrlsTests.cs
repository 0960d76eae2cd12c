using KestrelAcme.Protocol.Accounts;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Accounts;

public sealed class ContactUrlsTests
{
    [Theory]
    [InlineData("admin@example.com", "mailto:admin@example.com")]
    [InlineData(" admin@example.com ", "mailto:admin@example.com")]
    [InlineData("mailto:admin@example.com", "mailto:admin@example.com")]
    [InlineData("tel:+123", "tel:+123")]
    [InlineData("https://user@example.com/", "https://user@example.com/")]
    public void Normalize_Contact_IsAUrl(string contact, string url) => Assert.Equal([url], ContactUrls.Normalize([contact]));

    [Theory]
    [InlineData("")]
    [InlineData("admin")]
    public void Normalize_Neither_Throws(string contact) => Assert.Throws<ArgumentException>(() => ContactUrls.Normalize([contact]));
}
