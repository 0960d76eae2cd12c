using KestrelAcme.Challenges.Http01;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

public sealed class Http01PathTests
{
    [Theory]
    [InlineData("/.well-known/acme-challenge/abc-_XYZ09", "abc-_XYZ09")]
    [InlineData("/.well-known/acme-challenge/", null)]
    [InlineData("/.well-known/acme-challenge//abc", null)]
    [InlineData("/.well-known/acme-challenge/abc/", null)]
    [InlineData("/.well-known/acme-challenge/a.b", null)]
    [InlineData("/.well-known/acme-challenge/a%2Fb", null)]
    [InlineData("/.well-known/acme-challenge/tökén", null)]
    [InlineData("/.well-known/acme-challenge/a b", null)]
    public void Token_Path_OnlyWellFormedTokens(string path, string? expected)
    {
        Assert.True(Http01Path.IsChallenge(path));
        Assert.Equal(expected, Http01Path.Token(path));
    }

    [Fact]
    public void Token_TooLong_Null() => Assert.Null(Http01Path.Token(Http01Path.Prefix + new string('a', 257)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/.well-known/acme-challenge")]
    [InlineData("/.WELL-KNOWN/acme-challenge/x")]
    [InlineData("//.well-known/acme-challenge/x")]
    [InlineData("/app/.well-known/acme-challenge/x")]
    public void IsChallenge_OtherPath_False(string? path) => Assert.False(Http01Path.IsChallenge(path));
}
