using KestrelAcme.Protocol.Problems;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Problems;

public sealed class UntrustedTextTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("plain", "plain")]
    [InlineData("two\r\nlines\u001b[31m", "two  lines [31m")]
    [InlineData("\u202Eevil\u200B", "evil")]
    [InlineData("Zürich 日本 😀", "Zürich 日本 😀")]
    public void Clean_Text_IsOneHarmlessLine(string? text, string expected) => Assert.Equal(expected, UntrustedText.Clean(text, 100));

    [Fact]
    public void Clean_LoneSurrogate_IsReplaced() => Assert.Equal("lone \uFFFD surrogate", UntrustedText.Clean("lone \uD800 surrogate", 100));

    [Fact]
    public void Clean_Long_IsCut()
    {
        Assert.Equal("aaaaa…", UntrustedText.Clean(new string('a', 1000), 5));
        Assert.Equal("aaaa…", UntrustedText.Clean("aaaa😀", 5));
    }
}
