using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ConfigurationProblemTests
{
    [Fact]
    public void ToString_WithValue_NamesKeyValueReasonAndFix()
        => Assert.Equal(
            "AcmeHttps:DomainNames:1 = 'http://a.example': is a URL, not a domain name. Write 'a.example'.",
            new ConfigurationProblem("AcmeHttps:DomainNames:1", "http://a.example", "is a URL, not a domain name", "Write 'a.example'")
                .ToString());

    [Fact]
    public void ToString_WithoutValue_LeavesItOut()
        => Assert.Equal(
            "AcmeHttps:X: is not a known key. Did you mean 'Y'?",
            new ConfigurationProblem("AcmeHttps:X", null, "is not a known key", "Did you mean 'Y'?").ToString());

    [Fact]
    public void ToString_HostileValue_IsOneShortLine()
    {
        var line = new ConfigurationProblem("K\r\n", "a\u001b[31m\nb" + new string('x', 10_000), "r", "f").ToString();

        Assert.DoesNotContain(line, char.IsControl);
        Assert.True(line.Length < 200);
    }

    [Theory]
    [InlineData("DomainName", "DomainNames")]
    [InlineData("domainnames", "DomainNames")]
    [InlineData("Emial", null)]
    [InlineData("EmailAdress", "EmailAddress")]
    [InlineData("Wholly", null)]
    public void Find_Misspelled_NearestOrNone(string written, string? expected)
        => Assert.Equal(expected, NearestName.Find(written, ["DomainNames", "EmailAddress"]));

    [Fact]
    public void EquatableArray_SameElements_Equal()
    {
        EquatableArray<string> list = ["a", "b"];

        Assert.Equal(list, EquatableArray.From(["a", "b"]));
        Assert.Equal(list.GetHashCode(), EquatableArray.From(["a", "b"]).GetHashCode());
        Assert.NotEqual(list, EquatableArray.From(["b", "a"]));
    }
}
