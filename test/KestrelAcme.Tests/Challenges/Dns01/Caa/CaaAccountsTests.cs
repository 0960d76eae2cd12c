using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Caa;

public sealed class CaaAccountsTests
{
    private static readonly BindZone Zone = new(
        "example.test",
        "plain IN CAA 0 issue \"ca.test\"",
        "bound IN CAA 0 issue \"ca.test; accounturi=https://ca.test/account/1\"",
        "foreign IN CAA 0 issue \"other.test; accounturi=https://other.test/account/1\"",
        "wild IN CAA 0 issuewild \"ca.test; accounturi=https://ca.test/account/1\"");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, "plain.example.test")]
    [InlineData(false, "foreign.example.test")]
    [InlineData(false, "wild.example.test")]
    [InlineData(true, "*.wild.example.test")]
    [InlineData(true, "below.bound.example.test")]
    [InlineData(true, "plain.example.test", "bound.example.test")]
    public async Task AreNamed_Names_TrueIfOneIsBoundToAnAccountOfTheCa(bool expected, params string[] names)
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [Zone] }, Cancelled);
        await using var fixture = new DnsFixture(new Dictionary<string, string?>(), bind.Address.Port);
        List<CaaSubject> subjects = [
            .. names.Select(n => new CaaSubject(n.StartsWith("*.", StringComparison.Ordinal) ? n[2..] : n, n.StartsWith('*')))
        ];

        Assert.Equal(expected, await fixture.Services.GetRequiredService<ICaaAccounts>().AreNamedAsync(subjects, ["ca.test"], Cancelled));
    }
}
