using KestrelAcme.DnsClient;
using Xunit;

namespace KestrelAcme.DnsClient.Tests;

public sealed class DnsNameTests
{
    private static readonly string Label63 = new('a', 63);

    [Theory]
    [InlineData("example.com", "example.com", 2)]
    [InlineData("example.com.", "example.com", 2)]
    [InlineData("_acme-challenge.WWW.example.com", "_acme-challenge.WWW.example.com", 4)]
    [InlineData("*.example.com", "*.example.com", 3)]
    [InlineData(".", ".", 0)]
    [InlineData(@"a\.b.example", @"a\.b.example", 2)]
    [InlineData(@"a\032b\255.example", @"a\032b\255.example", 2)]
    [InlineData(@"a\\b\;.example", @"a\\b\;.example", 2)]
    [InlineData(@"\065.example", "A.example", 2)]
    public void Parse_ValidText_RoundTrips(string text, string expected, int labels)
    {
        var name = DnsName.Parse(text);

        Assert.Equal(expected, name.ToString());
        Assert.Equal(labels, name.LabelCount);
        Assert.Equal(name, DnsName.Parse(name.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("münchen.de")]
    [InlineData(@"a\256")]
    [InlineData(@"a\25")]
    [InlineData(@"a\")]
    [InlineData(@"a\é")]
    public void Parse_InvalidText_ThrowsFormatException(string text)
    {
        Assert.Throws<FormatException>(() => DnsName.Parse(text));
        Assert.False(DnsName.TryParse(text, out _));
    }

    [Fact]
    public void Parse_LengthsAtTheLimits_AreExact()
    {
        // 3 * 64 + 62 + 1 = 255 octets on the wire.
        string longest = $"{Label63}.{Label63}.{Label63}.{new string('b', 61)}";

        Assert.Equal(255, DnsName.Parse(longest).Wire.Length);
        Assert.Throws<FormatException>(() => DnsName.Parse(longest + "b"));
        Assert.Throws<FormatException>(() => DnsName.Parse(Label63 + "a.example"));
        Assert.Throws<FormatException>(() => DnsName.Parse(string.Join('.', Enumerable.Repeat("a", 128))));
        Assert.Equal(127, DnsName.Parse(string.Join('.', Enumerable.Repeat("a", 127))).LabelCount);
    }

    [Fact]
    public void Parse_HugeText_QuotesLittleOfIt() =>
        Assert.True(Assert.Throws<FormatException>(() => DnsName.Parse(new string('x', 1_000_000))).Message.Length < 300);

    [Fact]
    public void Equals_CaseDiffers_IsEqualWithEqualHash()
    {
        var one = DnsName.Parse("WwW.Example.COM");
        var other = DnsName.Parse("www.eXAMPLE.com");

        Assert.Equal(one, other);
        Assert.True(one == other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.NotEqual(one, DnsName.Parse("ww.example.com"));
        Assert.NotEqual(DnsName.Parse(@"a\.b"), DnsName.Parse("a.b"));
        Assert.NotEqual(DnsName.Parse(@"\195"), DnsName.Parse(@"\227"));
    }

    [Theory]
    [InlineData("www.example.com", "example.com", true)]
    [InlineData("www.Example.com", "eXample.COM", true)]
    [InlineData("example.com", "example.com", true)]
    [InlineData("example.com", ".", true)]
    [InlineData("notexample.com", "example.com", false)]
    [InlineData("com", "example.com", false)]
    [InlineData(".", "com", false)]
    [InlineData(@"x\007example.com", "example.com", false)]
    public void IsSubdomainOf_Names_GoesByLabels(string name, string ancestor, bool expected) =>
        Assert.Equal(expected, DnsName.Parse(name).IsSubdomainOf(DnsName.Parse(ancestor)));

    [Fact]
    public void ToString_AnyOctets_ParsesBackToTheSame()
    {
        var random = new Random(20261121);
        for (int i = 0; i < 20_000; i++)
        {
            List<byte> wire = [];
            while (wire.Count < 180 && random.Next(5) > 0)
            {
                byte[] label = new byte[random.Next(1, 64)];
                random.NextBytes(label);
                wire.AddRange([(byte)label.Length, .. label]);
            }

            var name = DnsName.FromWire([.. wire, 0]);
            Assert.Equal(name.Wire, DnsName.Parse(name.ToString()).Wire);
            Assert.DoesNotContain(name.ToString(), character => character is < ' ' or > '~');
        }
    }

    [Fact]
    public void TryParse_RandomText_NeverThrows()
    {
        var random = new Random(20261121);
        for (int i = 0; i < 200_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => "\\\\..0129azé"[random.Next(11)]));
            if (DnsName.TryParse(text, out DnsName? name))
            {
                Assert.Equal(name, DnsName.Parse(name.ToString()));
            }
        }
    }

    [Fact]
    public void Parent_EachLabel_ClimbsToTheRoot()
    {
        DnsName? name = DnsName.Parse(@"a\.b.example.com");
        List<string> seen = [];
        for (; name is not null; name = name.Parent)
        {
            seen.Add(name.ToString());
        }

        Assert.Equal([@"a\.b.example.com", "example.com", "com", "."], seen);
    }
}
