using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What changes while the application runs: clients get what the status reports, from the moment that it does.</summary>
public sealed class LiveKeyChangeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("EcdsaP256", "Rsa2048")]
    [InlineData("Rsa2048", "EcdsaP256")]
    [InlineData("EcdsaP384", "Rsa2048")]
    [InlineData("EcdsaP256", "EcdsaP384")]
    public async Task KeyAlgorithm_Changed_TheNewKindIsServed(string before, string after)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, Keys(fixture.Settings("app.test"), before));
        await running.SettledAsync(1);

        running.Reload(Keys(fixture.Settings("app.test"), after));
        await running.SettledAsync(1, status => status.Id == Id(after));
        Assert.Equal(after.StartsWith("Rsa", StringComparison.Ordinal), await running.ServesRsaAsync("app.test"));

        running.Reload(Keys(fixture.Settings("app.test"), before));
        await running.SettledAsync(1, status => status.Id == Id(before));
        Assert.Equal(before.StartsWith("Rsa", StringComparison.Ordinal), await running.ServesRsaAsync("app.test"));
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task KeyAlgorithms_AddedAndTakenAway_WhatIsLeftIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, Keys(fixture.Settings("app.test"), "EcdsaP256"));
        await running.SettledAsync(1);

        running.Reload(Keys(fixture.Settings("app.test"), "EcdsaP256", "Rsa2048"));
        await running.SettledAsync(2);
        Assert.False(await running.ServesRsaAsync("app.test"));

        running.Reload(Keys(fixture.Settings("app.test"), "Rsa2048"));
        await running.SettledAsync(1);
        Assert.True(await running.ServesRsaAsync("app.test"));
    }

    [Fact]
    public async Task KeyAlgorithm_ChangedWhileAnOrderIsUnderWay_WhatItBringsGivesWay()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        await using var running = await ChangingApp.StartAsync(fixture, Keys(fixture.Settings("app.test"), "EcdsaP256"));
        await Poll.UntilAsync(() => fixture.PostedChallenges > 0, "the first order's challenge", cancellationToken: Cancelled);

        running.Reload(Keys(fixture.Settings("app.test"), "Rsa2048"));
        await Poll.UntilAsync(
            () => running.App.Certificates.Find("app.test")?.Id == "app.test+rsa2048",
            "the reload",
            cancellationToken: Cancelled);
        fixture.Authority.Faults.ValidationStuck = false;
        await running.SettledAsync(1);
        await Poll.UntilAsync(
            () => fixture.Authority.Issued.Count == 2 && running.App.Log.Lines.Count(l => l.Event.Name == "CertificateObtained") == 2,
            "both orders",
            cancellationToken: Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.True(await running.ServesRsaAsync("app.test"));

        // What it brought is known when it is wanted again.
        running.Reload(Keys(fixture.Settings("app.test"), "EcdsaP256"));
        await running.SettledAsync(1, status => status.Id == "app.test");
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    private static Dictionary<string, string?> Keys(Dictionary<string, string?> settings, params string[] algorithms)
    {
        for (var i = 0; i < algorithms.Length; i++)
        {
            settings[$"AcmeHttps:KeyAlgorithms:{i}"] = algorithms[i];
        }

        return settings;
    }

    private static string Id(string algorithm) => algorithm == "EcdsaP256" ? "app.test" : $"app.test+{algorithm.ToLowerInvariant()}";
}
