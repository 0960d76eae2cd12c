using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class CertificateIdTests
{
    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("*.example.com", "_.example.com")]
    [InlineData("8.8.8.8", "8.8.8.8")]
    [InlineData("2001:db8::1", "2001-db8--1")]
    public void Of_OneName_IsTheName(string name, string expected) => Assert.Equal(expected, Of(KeyAlgorithm.EcdsaP256, name));

    [Theory]
    [InlineData(KeyAlgorithm.EcdsaP384, "example.com+ecdsap384")]
    [InlineData(KeyAlgorithm.Rsa2048, "example.com+rsa2048")]
    public void Of_OtherKeyAlgorithm_HasSuffix(KeyAlgorithm algorithm, string expected)
        => Assert.Equal(expected, Of(algorithm, "example.com"));

    [Fact]
    public void Of_Group_DoesNotDependOnOrder()
    {
        var id = Of(KeyAlgorithm.EcdsaP256, "www.example.com", "example.com", "api.example.com");

        Assert.Matches("^example\\.com\\+2-[0-9a-f]{8}$", id);
        Assert.Equal(id, Of(KeyAlgorithm.EcdsaP256, "example.com", "api.example.com", "www.example.com"));
        Assert.NotEqual(id, Of(KeyAlgorithm.EcdsaP256, "example.com", "api.example.com", "web.example.com"));
    }

    [Fact]
    public void Of_LongestNames_IsOneSegmentWithRoomForAnExtension()
    {
        var label = new string('a', 63);
        var first = $"*.{label}.{label}.{label}.{new string('a', 59)}";
        var second = $"*.{label}.{label}.{label}.{new string('b', 59)}";

        var one = Of(KeyAlgorithm.EcdsaP384, first);
        var group = Of(KeyAlgorithm.EcdsaP384, first, second);

        Assert.True(StorageKey.IsValid($"certificates/{one}.pem"));
        Assert.True(StorageKey.IsValid($"certificates/{group}.pem.damaged"));
        Assert.NotEqual(one, Of(KeyAlgorithm.EcdsaP384, second));
    }

    private static string Of(KeyAlgorithm algorithm, params string[] names)
        => CertificateId.Of([.. names.Select(name => DomainNameParser.Parse(name).Identifier!)], algorithm);
}
