using KestrelAcme.Challenges.TlsAlpn01;
using Xunit;

namespace KestrelAcme.Tests.Challenges.TlsAlpn01;

public sealed class TlsAlpn01CertificateTests
{
    [Theory]
    [InlineData("192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
    public void ServerName_Address_NameInTheReverseTree(string address, string expected)
        => Assert.Equal(expected, TlsAlpn01Certificate.ServerName("ip", address));
}
