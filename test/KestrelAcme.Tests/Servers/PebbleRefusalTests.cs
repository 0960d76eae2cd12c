using KestrelAcme.Certificates;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class PebbleRefusalTests
{
    private const string KeyId = "kid-1";
    private const string HmacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    private static readonly PebbleOptions BindingRequired = new()
    {
        ExternalAccountKeys = new Dictionary<string, string> { [KeyId] = HmacKey },
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_BoundAccount_Obtains()
    {
        await using var fixture = await PebbleFixture.StartAsync(BindingRequired);
        await using var app = await PebbleFixture.StartAppAsync(Bound(fixture, KeyId, HmacKey, "app.test"));

        await app.ObtainedAsync("app.test");

        Assert.Equal("0 (ok)", (await fixture.ServedAsync(app, "app.test")).VerifyReturnCode);
        Assert.DoesNotContain(HmacKey, app.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_BindingMissing_IsBlockedAndNamesTheSettings()
    {
        await using var fixture = await PebbleFixture.StartAsync(BindingRequired);
        await using var app = await fixture.StartAppAsync("app.test");

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Blocked, "app.test");

        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.Contains("AcmeHttps:ExternalAccountBinding", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kid-2", HmacKey)]
    [InlineData(KeyId, "d3JvbmctaG1hYy1rZXktd3JvbmctaG1hYy1rZXktd3Jvbmc")]
    public async Task Start_BindingWrong_IsBlockedOnceForAllNames(string keyId, string hmacKey)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(BindingRequired);
        await using var app = await PebbleFixture.StartAppAsync(Bound(fixture, keyId, hmacKey, "one.test", "two.test"));

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Blocked, "one.test", "two.test");

        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.Contains("account", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("AcmeHttps:ExternalAccountBinding", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(hmacKey, app.Log.ToString(), StringComparison.Ordinal);
        Assert.Single(fixture.Proxy.Requests, r => r.Path == "/sign-me-up");
        Assert.Empty(fixture.NewOrders);
    }

    [Fact]
    public async Task Start_BlocklistedName_IsBlockedAndTheOthersAreObtained()
    {
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { Blocklist = ["blocked.test"] });
        await using var app = await fixture.StartAppAsync("blocked.test", "good.test");

        await app.ObtainedAsync("good.test");
        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Blocked, "blocked.test");

        Assert.Equal("urn:ietf:params:acme:error:rejectedIdentifier", failure.ProblemType);
        Assert.Contains("blocked.test", failure.Message, StringComparison.Ordinal);
        Assert.Contains("remove it from AcmeHttps", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.NextAttempt - failure.At > TimeSpan.FromHours(23));
        Assert.True((await app.ConnectAsync("blocked.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Start_NameLeadsElsewhere_WaitsAndSaysWhatToDo()
    {
        await using var fixture = await PebbleFixture.StartAsync();
        await fixture.Pebble.Dns!.SetAddressesAsync("bad.test", ["127.0.0.2"], Cancelled);
        await using var app = await PebbleFixture.StartAppAsync(fixture.Settings("bad.test", "good.test"), configure: _ => { });

        await app.ObtainedAsync("good.test");
        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "bad.test");

        Assert.Equal((FailureCause.Name, 1), (failure.Cause, failure.Count));
        Assert.Contains("bad.test", failure.Message, StringComparison.Ordinal);
        Assert.Contains("127.0.0.2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("A and AAAA records", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.NextAttempt - failure.At, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.2));
        Assert.True((await app.ConnectAsync("bad.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Start_NameServersFail_SaysSo()
    {
        await using var fixture = await PebbleFixture.StartAsync();
        await fixture.Pebble.Dns!.SetServerFailureAsync("bad.test", fails: true, Cancelled);
        await using var app = await PebbleFixture.StartAppAsync(fixture.Settings("bad.test"), configure: _ => { });

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "bad.test");

        Assert.Equal(FailureCause.Name, failure.Cause);
        Assert.Contains("bad.test", failure.Message, StringComparison.Ordinal);
        Assert.Contains("could not resolve", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_NameLeadsElsewhere_KeepsServingAndRecovers()
    {
        await using var fixture = await PebbleFixture.StartAsync();
        await using var app = await fixture.StartAppAsync("app.test");
        await app.ObtainedAsync("app.test");
        await fixture.Pebble.Dns!.SetAddressesAsync("app.test", ["127.0.0.2"], Cancelled);

        var (before, failure) = await PebbleFixture.RenewWithValidationAsync(app, "app.test");

        Assert.Contains("127.0.0.2", Assert.IsType<CertificateException>(failure).Message, StringComparison.Ordinal);
        Assert.Equal(CertificateState.Waiting, app.Certificates.Find("app.test")!.State);
        Assert.Equal(before, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);

        await fixture.Pebble.Dns.SetAddressesAsync("app.test", ["127.0.0.1"], Cancelled);
        Assert.NotEqual(before, (await app.Certificates.RenewAsync("app.test", Cancelled)).SerialNumber);
    }

    private static Dictionary<string, string?> Bound(PebbleFixture fixture, string keyId, string hmacKey, params string[] names)
    {
        var settings = fixture.Settings(names);
        settings["AcmeHttps:ExternalAccountBinding:KeyId"] = keyId;
        settings["AcmeHttps:ExternalAccountBinding:HmacKey"] = hmacKey;
        settings["AcmeHttps:MaxConcurrentOrders"] = "1";
        return settings;
    }
}
