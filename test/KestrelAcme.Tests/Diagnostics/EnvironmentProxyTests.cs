using System.Net;
using KestrelAcme.Diagnostics;
using Xunit;

namespace KestrelAcme.Tests.Diagnostics;

public sealed class EnvironmentProxyTests
{
    private static readonly Uri Address = new("http://proxy.test:3128/");

    [Theory]
    [InlineData("http://localhost:5000/ask", false)]
    [InlineData("http://127.0.0.5/", false)]
    [InlineData("https://[::1]:8443/", false)]
    [InlineData("https://ca.localhost/directory", false)]
    [InlineData("https://ca.test/directory", true)]
    [InlineData("https://localhost.test/", true)]
    [InlineData("http://10.0.0.1/", true)]
    public void GetProxy_Destination_IsTheProxyUnlessItIsThisMachine(string destination, bool isProxied)
    {
        var proxy = new EnvironmentProxy(new WebProxy(Address));

        Assert.Equal(isProxied ? Address : null, proxy.GetProxy(new Uri(destination)));
        Assert.Equal(!isProxied, proxy.IsBypassed(new Uri(destination)));
    }

    [Fact]
    public void IsBypassed_ListOfTheEnvironment_Counts()
    {
        var proxy = new EnvironmentProxy(new WebProxy(Address, BypassOnLocal: false, [@"ca\.test"]));

        Assert.True(proxy.IsBypassed(new Uri("https://ca.test/")));
        Assert.False(proxy.IsBypassed(new Uri("https://other.test/")));
    }
}
