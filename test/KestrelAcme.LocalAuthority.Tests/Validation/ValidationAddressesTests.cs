using System.Net;
using KestrelAcme.LocalAuthority.Validation;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

public sealed class ValidationAddressesTests
{
    private readonly ValidationAddresses _addresses = new(
        new LocalAcmeAuthorityOptions { ValidationHttpPort = 8080, ValidationTlsPort = 8443 });

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("Quick.LOCALHOST", "127.0.0.1")]
    [InlineData("127.0.0.9", "127.0.0.9")]
    [InlineData("::1", "::1")]
    public void Find_NameOfThisMachine_IsItsAddressWithTheConfiguredPorts(string name, string address)
    {
        var endpoints = _addresses.Find(name);
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 8080), endpoints?.For(80));
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 8443), endpoints?.For(443));
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 5000), endpoints?.For(5000));
    }

    [Theory]
    [InlineData("app.test")]
    [InlineData("192.0.2.1")]
    [InlineData("notlocalhost")]
    public void Find_NameElsewhere_HasNoAddress(string name) => Assert.Null(_addresses.Find(name));

    [Theory]
    [InlineData("app.test", 1)]
    [InlineData("APP.test", 1)]
    [InlineData("www.app.test", 2)]
    [InlineData("a.www.app.test", 3)]
    [InlineData("localhost", 3)]
    public void Find_Mapped_MostExactMappingWins(string name, int port)
    {
        Map("app.test", 1);
        Map("*.app.test", 2);
        Map("*", 3);
        Assert.Equal(port, _addresses.Find(name)?.Http.Port);
    }

    private void Map(string name, int port)
    {
        var endpoint = new IPEndPoint(IPAddress.Loopback, port);
        _addresses.Map(name, new ValidationEndpoints(endpoint, endpoint));
    }
}
