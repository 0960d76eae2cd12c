using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class HostNameTests
{
    [Theory]
    [InlineData("a.test", "a.test")]
    [InlineData("A.Test.", "a.test")]
    [InlineData("bücher.test", "xn--bcher-kva.test")]
    [InlineData("BÜCHER.test", "xn--bcher-kva.test")]
    [InlineData("bü..test", "")]
    public void FromUnicode_NameFromDotNet_IsNormalized(string name, string expected)
        => Assert.Equal(expected, HostName.FromUnicode(name));

    [Theory]
    [InlineData("1.2.0.192.in-addr.arpa", "192.0.2.1")]
    [InlineData("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::1")]
    [InlineData("01.2.0.192.in-addr.arpa", null)]
    [InlineData("2.0.192.in-addr.arpa", null)]
    [InlineData("1.1.2.0.192.in-addr.arpa", null)]
    [InlineData("256.2.0.192.in-addr.arpa", null)]
    [InlineData("x.2.0.192.in-addr.arpa", null)]
    [InlineData("in-addr.arpa", null)]
    [InlineData(".in-addr.arpa", null)]
    [InlineData("g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", null)]
    [InlineData("1-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", null)]
    [InlineData("10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", null)]
    [InlineData("ip6.arpa", null)]
    [InlineData("a.test", null)]
    public void AddressOf_Name_ReturnsAddressOrNull(string name, string? expected)
        => Assert.Equal(expected, HostName.AddressOf(name)?.ToString());
}
