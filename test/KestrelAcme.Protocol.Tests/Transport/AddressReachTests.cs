using System.Net;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class AddressReachTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.1.2")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::7f00:1")]
    [InlineData("64:ff9b:1:7f00:0:100::")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2001:0:808:808:0:0:80ff:fffe")]
    [InlineData("2001:0:7f00:1::1")]
    [InlineData("fd00::5efe:7f00:1")]
    [InlineData("2001:db8::200:5efe:127.0.0.1")]
    public void Of_ThisMachine_InEveryForm(string address) => Assert.Equal("ThisMachine", Of(address));

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%2")]
    [InlineData("febf::1")]
    [InlineData("ff02::1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::a9fe:a9fe")]
    [InlineData("64:ff9b:1:a9fe:a9:fe00::")]
    [InlineData("64:ff9b:1:ff:a9:fea9:fe00::")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("2001:0:808:808:0:0:5601:5601")]
    public void Of_Link_InEveryForm(string address) => Assert.Equal("ThisLink", Of(address));

    [Theory]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd00:ec2::23")]
    [InlineData("fd20:ce::254")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("64:ff9b::6464:64c8")]
    public void Of_MetadataOutsideTheLink_IsKnown(string address) => Assert.Equal("CloudMetadata", Of(address));

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("169.253.0.1")]
    [InlineData("2001:db8::1")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("fd00::1")]
    [InlineData("fd00:ec3::1")]
    [InlineData("64:ff9b::c000:201")]
    [InlineData("64:ff9b:1::c000:201")]
    [InlineData("2002:c000:201::1")]
    [InlineData("::ffff:192.0.2.1")]
    public void Of_OrdinaryAddress_IsTheNetwork(string address) => Assert.Equal("Network", Of(address));

    [Theory]
    [InlineData("https://localhost/", "ThisMachine")]
    [InlineData("https://LOCALHOST./", "ThisMachine")]
    [InlineData("https://ca.localhost/", "ThisMachine")]
    [InlineData("https://2130706433/", "ThisMachine")]
    [InlineData("https://0x7f.1/", "ThisMachine")]
    [InlineData("https://[::ffff:7f00:1]/", "ThisMachine")]
    [InlineData("https://[fe80::1]/", "ThisLink")]
    [InlineData("https://169.254.169.254/", "ThisLink")]
    [InlineData("https://ca.test/", "Network")]
    [InlineData("https://127.0.0.1.ca.test/", "Network")]
    public void Of_Url_IsByWhatItSays(string url, string expected) => Assert.Equal(expected, AddressReaches.Of(new Uri(url)).ToString());

    private static string Of(string address) => AddressReaches.Of(IPAddress.Parse(address)).ToString();
}
