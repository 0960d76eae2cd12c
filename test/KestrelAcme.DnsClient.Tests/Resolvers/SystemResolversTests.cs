using System.Net;
using KestrelAcme.DnsClient.Resolvers;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Resolvers;

public sealed class SystemResolversTests
{
    [Theory]
    [InlineData("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "192.0.2.1:53,[2001:db8::1]:53")]
    [InlineData("# nameserver 192.0.2.9\n; nameserver 192.0.2.9\nsearch x\n\tnameserver\t192.0.2.1 # here\r\n", "192.0.2.1:53")]
    [InlineData("nameserver x\nnameserver\nnameservers 192.0.2.9\nnameserver fe80::1%1", "[fe80::1%1]:53")]
    [InlineData(
        "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
        "192.0.2.1:53,192.0.2.2:53,192.0.2.3:53")]
    [InlineData("", "127.0.0.1:53")]
    [InlineData("options ndots:5", "127.0.0.1:53")]
    public void Read_ResolvConf_TakesNameServers(string text, string expected) =>
        Assert.Equal(expected, string.Join(",", ResolvConf.Read(text)));

    [Fact]
    public void Get_FileChanges_IsSeenAfterAWhile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems ask the network interfaces.");
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider();
        var resolvers = new SystemResolvers(time, folder.Write("resolv.conf", "nameserver 192.0.2.1"));
        Assert.Equal("192.0.2.1", resolvers.Get().Single().Address.ToString());

        folder.Write("resolv.conf", "nameserver 192.0.2.2");
        Assert.Equal("192.0.2.1", resolvers.Get().Single().Address.ToString());

        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("192.0.2.2", resolvers.Get().Single().Address.ToString());
    }

    [Fact]
    public void Get_NoFile_IsTheLocalServer()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems ask the network interfaces.");
        Assert.Equal(IPAddress.Loopback, new SystemResolvers(new FakeTimeProvider(), "/nowhere/resolv.conf").Get().Single().Address);
    }
}
