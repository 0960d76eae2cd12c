using System.Globalization;
using System.Text.Json;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Hosting;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Persist;

#pragma warning disable KESTRELACME001 // What is tested is experimental.
public sealed class DnsPersist01Tests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ca.test; accounturi=https://ca.test/account/1", false, true)]
    [InlineData("ca.test;accounturi=https://ca.test/account/1;x=y", false, true)]
    [InlineData(" ca.test\t;\tAccountURI = https://ca.test/account/1 ; x=y;x=z", false, true)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; policy=WildCard", true, true)]
    [InlineData("CA.test; accounturi=https://ca.test/account/1", false, false)]
    [InlineData("ca.test.; accounturi=https://ca.test/account/1", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1;", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; ; x=y", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=1800000001; persistuntil=1800000001", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/1", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; policy=wildcard; policy=wildcard", true, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; policy=wildcards", true, false)]
    [InlineData("ca.test; accounturi=https://CA.test/account/1", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; note=two words", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; note=\u00fc", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; bad_tag=x", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=+1800000001", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=99999999999999999999", false, false)]
    [InlineData("ca.test accounturi=https://ca.test/account/1", false, false)]
    [InlineData("", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=1800000001", false, true)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; policy=wildcard", true, true)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1", true, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=1800000000", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=soon", false, false)]
    [InlineData("ca.test; accounturi=https://ca.test/account/2", false, false)]
    [InlineData("other.test; accounturi=https://ca.test/account/1", false, false)]
    [InlineData("ca.test", false, false)]
    [InlineData("ca.test; garbage; accounturi=https://ca.test/account/1", false, false)]
    public void Allows_RecordValue_AsTheDraftSays(string value, bool wildcard, bool expected)
        => Assert.Equal(
            expected,
            PersistRecord.Allows(
                value, new PersistRequest("example.test", wildcard, new PersistAccount(DnsFixture.Account, null, null), ["ca.test"]), Now));

    [Theory]
    [InlineData("ca.test; accounturi=https://ca.test/account/1", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=1800000001", "2027-01-15T08:00:01Z")]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=9000000000000000000", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("ca.test; accounturi=https://ca.test/account/1; persistUntil=1800000000", null)]
    public void AllowsUntil_Value_ReturnsItsEnd(string value, string? end)
    {
        var request = new PersistRequest("example.test", Wildcard: false, new PersistAccount(DnsFixture.Account, null, null), ["ca.test"]);

        DateTimeOffset? expected = end is null ? null : DateTimeOffset.Parse(end, CultureInfo.InvariantCulture);
        Assert.Equal(expected, PersistRecord.AllowsUntil(value, request, Now));
    }

    [Theory]
    [InlineData(29, 10, true)]
    [InlineData(31, 10, false)]
    [InlineData(89, 90, true)]
    [InlineData(90, 90, false)]
    public void EndsSoon_End_ComparesWithThirtyDaysAndCertificate(int end, int notAfter, bool expected)
        => Assert.Equal(expected, PersistRecord.EndsSoon(Now.AddDays(end), Now.AddDays(notAfter), Now));

    internal static Dictionary<string, JsonElement> Members(string member, string value)
        => new() { [member] = JsonDocument.Parse(value).RootElement.Clone() };

    [Fact]
    public void IssuersOf_ChallengeNamesThem_ComeBeforeCaaIdentities()
    {
        Assert.Equal(
            ["issuer.test", "also.test"],
            PersistIssuers.Of(
                "example.test",
                Members("issuer-domain-names", """["issuer.test", 3, "also.test"]"""),
                new PersistDirectory([], null, ["ca.test"])));
    }

    [Fact]
    public async Task Prepare_RecordMissing_AsksForItOnceAndPassesWhenItIsThere()
    {
        var zone = new BindZone("example.test", "_validation-persist.good IN TXT \"ca.test; accounturi=https://ca.test/account/1\"");
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [zone] }, Cancelled);
        await using var app = new DnsFixture(
            new Dictionary<string, string?>(), bind.Address.Port, acme: builder => builder.AddDnsPersist01());
        var handler = app.HandlerOf("dns-persist-01");
        var missing = DnsFixture.Challenge("example.test", "t", wildcard: true);

        await handler.PrepareAsync(DnsFixture.Challenge("good.example.test", "t"), Cancelled);
        var first = await Assert.ThrowsAsync<ChallengeException>(() => handler.PrepareAsync(missing, Cancelled));
        await Assert.ThrowsAsync<ChallengeException>(() => handler.PrepareAsync(missing, Cancelled));

        const string Wanted = "_validation-persist.example.test. TXT \"ca.test; accounturi=https://ca.test/account/1; policy=wildcard\"";
        Assert.Equal(ChallengeFault.Operator, first.Fault);
        Assert.EndsWith($"Create: {Wanted}", first.Message, StringComparison.Ordinal);
        Assert.Equal(Wanted, Assert.Single(first.RequiredRecords).ToString());
        Assert.Contains(Wanted, Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }
}
