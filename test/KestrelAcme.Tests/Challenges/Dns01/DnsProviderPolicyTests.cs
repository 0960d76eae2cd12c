using KestrelAcme.Challenges.Dns01.Providers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class DnsProviderPolicyTests
{
    [Theory]
    [InlineData("_acme-challenge.www.example.com", "example.com|www.example.com|", 1)]
    [InlineData("_acme-challenge.example.com", "example.com|www.example.com|", 0)]
    [InlineData("_acme-challenge.notexample.com", "example.com|www.example.com|", 2)]
    [InlineData("_acme-challenge.notexample.com", "example.com", -1)]
    [InlineData("example.com", "EXAMPLE.com", 0)]
    public void Choose_NoAlias_LongestZoneThenAnyone(string name, string zones, int expected)
        => Assert.Equal(expected, DnsProviderPolicy.Choose(Read(zones), name, name) ?? -1);

    [Theory]
    [InlineData("example.com|acme.net", 1)]
    [InlineData("example.com|", 0)]
    [InlineData("|acme.net", 1)]
    [InlineData("org|", 1)]
    public void Choose_Alias_TheRecordsPlaceCountsBeforeTheChallengesName(string zones, int expected)
        => Assert.Equal(expected, DnsProviderPolicy.Choose(Read(zones), "x.acme.net", "_acme-challenge.example.com"));

    private static IReadOnlyList<string>[] Read(string zones)
        => [.. zones.Split('|').Select(z => z.Split(',', StringSplitOptions.RemoveEmptyEntries))];
}
