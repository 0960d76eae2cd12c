using KestrelAcme.Configuration.Names;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class DomainNameParserTests
{
    private static readonly string Label63 = new('a', 63);

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("WWW.Example.COM", "www.example.com")]
    [InlineData("example.com.", "example.com")]
    [InlineData("*.example.com", "*.example.com")]
    [InlineData("localhost", "localhost")]
    [InlineData("a--b.example.com", "a--b.example.com")]
    [InlineData("1.example.com", "1.example.com")]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("bu\u0308cher.example", "xn--bcher-kva.example")]
    [InlineData("*.bücher.example", "*.xn--bcher-kva.example")]
    [InlineData("例え.テスト", "xn--r8jz45g.xn--zckzah")]
    [InlineData("例え。テスト", "xn--r8jz45g.xn--zckzah")]
    [InlineData("ｅｘａｍｐｌｅ．com", "example.com")]
    [InlineData("l\u00B7l.example", "xn--ll-0ea.example")]
    [InlineData("XN--Bcher-KVA.example", "xn--bcher-kva.example")]
    public void Parse_DomainName_Normalized(string text, string expected)
    {
        var result = DomainNameParser.Parse(text);

        Assert.Equal(new CertificateIdentifier(IdentifierKind.Dns, expected), result.Identifier);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("2001:DB8:0:0::1", "2001:db8::1")]
    [InlineData("[2001:db8::1]", "2001:db8::1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    public void Parse_IpAddress_Canonical(string text, string expected)
    {
        var result = DomainNameParser.Parse(text);

        Assert.Equal(new CertificateIdentifier(IdentifierKind.Ip, expected), result.Identifier);
    }

    [Theory]
    [InlineData(null, "is empty", "Write a domain name, or remove the entry")]
    [InlineData("", "is empty", "Write a domain name, or remove the entry")]
    [InlineData("  ", "is empty", "Write a domain name, or remove the entry")]
    [InlineData("http://a.example", "is a URL, not a domain name", "Write 'a.example'")]
    [InlineData("https://A.example:8443/x?y", "is a URL, not a domain name", "Write 'a.example'")]
    [InlineData("https://", "is a URL, not a domain name", "Write only the domain name")]
    [InlineData("https://127.0.0.1/", "is a URL, not a domain name", "Write only the domain name")]
    [InlineData("a.example:443", "has a port", "Write 'a.example'")]
    [InlineData("[2001:db8::1]:443", "has a port", "Write only the domain name")]
    [InlineData("192.0.2.1:443", "has a port", "Write only the domain name")]
    [InlineData("2001:db8::zz", "is not an IP address", "Write an IPv6 address such as '2001:db8::1'")]
    [InlineData("fe80::1%eth0", "is not an IP address", "Write an IPv6 address such as '2001:db8::1'")]
    [InlineData("a.example/path", "has a path", "Write 'a.example'")]
    [InlineData("a.example\\path", "has a path", "Write 'a.example'")]
    [InlineData(" a.example", "contains a space", "Write 'a.example'")]
    [InlineData("a.example ", "contains a space", "Write 'a.example'")]
    [InlineData("a.example b.example", "is more than one name", "Write each name as a separate element")]
    [InlineData("a.example,b.example", "is more than one name", "Write each name as a separate element")]
    [InlineData("a.example;b.example", "is more than one name", "Write each name as a separate element")]
    [InlineData("admin@a.example", "is an e-mail address, not a domain name", "Write 'a.example'")]
    [
        InlineData(
            "a_b.example", "has an underscore, which certificates do not allow", "Write a host name: letters, digits, hyphens and dots")]
    [InlineData("a!.example", "has a character that domain names do not allow, U+0021", "Write letters, digits, hyphens and dots")]
    [InlineData("a..example", "has an empty label", "Write single dots, and no dot in front")]
    [InlineData(".a.example", "has an empty label", "Write single dots, and no dot in front")]
    [InlineData("a.example..", "has an empty label", "Write single dots, and no dot in front")]
    [InlineData(".", "has an empty label", "Write single dots, and no dot in front")]
    [InlineData("*.", "has an empty label", "Write single dots, and no dot in front")]
    [InlineData("-a.example", "has a label that begins or ends with a hyphen", "Write the name without it")]
    [InlineData("a-.example", "has a label that begins or ends with a hyphen", "Write the name without it")]
    [InlineData("*", "has a '*' that is not the whole first label", "Write '*.' in front of a domain name: '*.example.com'")]
    [InlineData("w*.example", "has a '*' that is not the whole first label", "Write '*.' in front of a domain name: '*.example.com'")]
    [InlineData("www.*.example", "has a '*' that is not the whole first label", "Write '*.' in front of a domain name: '*.example.com'")]
    [InlineData("*.*.example", "has a '*' that is not the whole first label", "Write '*.' in front of a domain name: '*.example.com'")]
    [InlineData("*.192.0.2.1", "is neither a domain name nor an IP address", "Write an IPv4 address such as '192.0.2.1', or a domain name")]
    [InlineData("192.0.2.256", "is neither a domain name nor an IP address", "Write an IPv4 address such as '192.0.2.1', or a domain name")]
    [InlineData("192.0.2", "is neither a domain name nor an IP address", "Write an IPv4 address such as '192.0.2.1', or a domain name")]
    [InlineData("010.0.0.1", "is neither a domain name nor an IP address", "Write an IPv4 address such as '192.0.2.1', or a domain name")]
    [InlineData("a\u0000b.example", "has a character that domain names do not allow, U+0000", "Write letters, digits, hyphens and dots")]
    [
        InlineData(
            "\u201Cexample.com\u201D", "has a character that domain names do not allow, U+201C (a quotation mark)", "Write 'example.com'")]
    [InlineData("example.com\u2019", "has a character that domain names do not allow, U+2019 (a quotation mark)", "Write 'example.com'")]
    [
        InlineData(
            "\u00ABb\u00FCcher.example\u00BB",
            "has a character that domain names do not allow, U+00AB (a quotation mark)",
            "Write 'xn--bcher-kva.example'")]
    [
        InlineData(
            "\u2603.example",
            "has a character that domain names do not allow, U+2603",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    [
        InlineData(
            "\U0001F4A9.example",
            "has a character that domain names do not allow, U+1F4A9",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    [
        InlineData(
            "a\u2013b.example",
            "has a character that domain names do not allow, U+2013",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    [
        InlineData(
            "a\u200B.example",
            "has a character that domain names do not allow, U+200B",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    [
        InlineData(
            "a\u202E.example",
            "has a character that domain names do not allow, U+202E",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    [
        InlineData(
            "ü\ud800.example",
            "is not a valid internationalized domain name",
            "Write the name as A-labels, such as 'xn--bcher-kva.example'")]
    public void Parse_Malformed_ReasonAndFix(string? text, string reason, string fix)
    {
        var result = DomainNameParser.Parse(text);

        Assert.False(result.IsSuccess);
        Assert.Equal((reason, fix), (result.Reason, result.Fix));
    }

    [Fact]
    public void Parse_Label63_Success() => Assert.True(DomainNameParser.Parse(Label63 + ".example").IsSuccess);

    [Fact]
    public void Parse_Label64_Failure()
        => Assert.Equal("has a label longer than 63 characters", DomainNameParser.Parse($"a{Label63}.example").Reason);

    [Fact]
    public void Parse_Name253_Success()
    {
        var name = $"{Label63}.{Label63}.{Label63}.{new string('a', 61)}";
        Assert.Equal(253, name.Length);

        Assert.True(DomainNameParser.Parse(name).IsSuccess);
    }

    [Fact]
    public void Parse_Name254_Failure()
        => Assert.Equal(
            "is longer than 253 characters", DomainNameParser.Parse($"{Label63}.{Label63}.{Label63}.{new string('a', 62)}").Reason);

    [Fact]
    public void Parse_HugeText_Failure()
        => Assert.Equal("is longer than 253 characters", DomainNameParser.Parse(new string('a', 1_000_000)).Reason);

    [Fact]
    public void TryToAscii_WithoutIcuAndDecomposed_Reason()
    {
        Assert.False(UnicodeNames.TryToAscii("bu\u0308cher.example", canNormalize: false, out _, out var why));
        Assert.Contains("InvariantGlobalization", why, StringComparison.Ordinal);
    }

    [Fact]
    public void TryToAscii_WithoutIcuAndComposed_Converts()
    {
        Assert.True(UnicodeNames.TryToAscii("bücher.example", canNormalize: false, out var ascii, out _));
        Assert.Equal("xn--bcher-kva.example", ascii);
    }
}
