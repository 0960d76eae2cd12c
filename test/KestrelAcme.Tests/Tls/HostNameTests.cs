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
}
