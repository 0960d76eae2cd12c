using KestrelAcme.Diagnostics;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Diagnostics;

public sealed class QuotedTextTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("plain 'text' \\ with \"quotes\"", "plain 'text' \\ with \"quotes\"")]
    [InlineData("two\r\nfail: lines\u001b[31m", "two\\u000d\\u000afail: lines\\u001b[31m")]
    [InlineData("\u202Eevil\u200B\u2066\uFEFF\u00AD", "\\u202eevil\\u200b\\u2066\\ufeff\\u00ad")]
    [InlineData("\u0085\u2028\u2029\u00A0\u0000\u007F\u009B", "\\u0085\\u2028\\u2029\\u00a0\\u0000\\u007f\\u009b")]
    [InlineData("a\u3164b\uFE0Fc\u2800d", "a\\u3164b\\ufe0fc\\u2800d")]
    [InlineData("Zürich 日本 😀", "Zürich 日本 😀")]
    [InlineData("tag \U000E0041", "tag \\udb40\\udc41")]
    public void Of_Text_IsOnePrintableLine(string? text, string expected) => Assert.Equal(expected, QuotedText.Of(text));

    [Fact]
    public void Of_LoneSurrogate_IsEscaped() => Assert.Equal("lone \\ud800 surrogate", QuotedText.Of("lone \uD800 surrogate"));

    [Fact]
    public void Of_Long_IsCutBetweenCharacters()
    {
        Assert.Equal("aaaaa…", QuotedText.Of(new string('a', 1000), 5));
        Assert.Equal("aaaa…", QuotedText.Of("aaaa😀", 5));
        Assert.Equal("aaaa…", QuotedText.Of("aaaa\n", 9));
        Assert.Equal(QuotedText.MaxLength + 1, QuotedText.Of(new string('\n', 3_000_000)).Length, 6d);
    }

    [Fact]
    public void Of_Twice_ChangesNothing()
    {
        foreach (var text in new[] { "a\nb", "\u001b[0m", new string('x', 500), new string('\n', 500), "日本\u202E" })
        {
            var once = QuotedText.Of(text, 100);

            Assert.Equal(once, QuotedText.Of(once, 100));
        }
    }

    [Theory]
    [InlineData("  {\r\n\t\"error\": \"no\"\r\n}  ", "{ \"error\": \"no\" }")]
    [InlineData("\u001b[31mred\u001b[0m", "\\u001b[31mred\\u001b[0m")]
    [InlineData(" \t\r\n", "")]
    public void Words_Text_HasSingleSpaces(string text, string expected) => Assert.Equal(expected, QuotedText.Words(text));

    [Fact]
    public void Of_UrlWithEscapes_KeepsThem()
        => Assert.Equal("https://ca.example/%E2%80%AEx%0Ay", QuotedText.Of(new Uri("https://ca.example/%E2%80%AEx%0Ay")));
}
