using KestrelAcme.Protocol.Jose;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Jose;

public sealed class HmacJwsKeyTests
{
    [Theory]
    [InlineData("-_-_-_-_")]
    [InlineData("+/+/+/+/")]
    [InlineData(" -_-_-_-_ \n")]
    public void FromText_AnyBase64_SameKey(string text)
    {
        using var plain = HmacJwsKey.FromText("-_-_-_-_");
        using var key = HmacJwsKey.FromText(text);

        Assert.Equal(plain.Sign([1]), key.Sign([1]));
    }

    [Theory]
    [InlineData("geheim !!")]
    [InlineData("====")]
    public void FromText_NoBase64_ThrowsWithoutTheKey(string text)
    {
        var exception = Assert.Throws<ArgumentException>(() => HmacJwsKey.FromText(text));

        Assert.DoesNotContain(text, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Sign_Disposed_Throws()
    {
        var bytes = new byte[] { 1, 2, 3 };
        var key = new HmacJwsKey(bytes);
        key.Dispose();

        Assert.Throws<ObjectDisposedException>(() => key.Sign([1]));
        Assert.All(bytes, value => Assert.Equal(0, value));
    }
}
