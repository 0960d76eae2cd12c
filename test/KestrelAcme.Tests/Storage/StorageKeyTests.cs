using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class StorageKeyTests
{
    [Theory]
    [InlineData("certificates/example.com.pem")]
    [InlineData("certificates/_.example.com+2-0a1b.pem")]
    [InlineData("a")]
    public void IsValid_WellFormed_True(string key) => Assert.True(StorageKey.IsValid(key));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("./a")]
    [InlineData("A")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\0")]
    public void IsValid_Malformed_False(string? key) => Assert.False(StorageKey.IsValid(key));

    [Fact]
    public void IsValid_TooLong_False() => Assert.False(StorageKey.IsValid(new string('a', StorageKey.MaxSegmentLength + 1)));
}
