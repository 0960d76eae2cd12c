using KestrelAcme.DnsClient.Updates;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Updates;

public sealed class TsigKeyTests
{
    private const string Secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQ=";

    [Theory]
    [InlineData(TsigAlgorithm.HmacSha256, "key.test (hmac-sha256)")]
    [InlineData(TsigAlgorithm.HmacSha512, "key.test (hmac-sha512)")]
    public void ToString_Key_HasNoSecret(TsigAlgorithm algorithm, string expected) =>
        Assert.Equal(expected, new TsigKey(DnsName.Parse("key.test"), algorithm, Secret).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("not*base64")]
    public void Constructor_SecretNotBase64_ThrowsWithoutQuotingIt(string secret)
    {
        var error = Assert.Throws<FormatException>(() => new TsigKey(DnsName.Parse("key.test"), TsigAlgorithm.HmacSha256, secret));

        Assert.Equal("The secret of TSIG key key.test is not base64.", error.Message);
    }

    [Fact]
    public void Constructor_UnknownAlgorithm_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TsigKey(DnsName.Parse("key.test"), (TsigAlgorithm)9, Secret));
}
