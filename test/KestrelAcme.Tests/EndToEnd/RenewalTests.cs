using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class RenewalTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_Asked_SwapsWithoutARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var before = await app.ConnectAsync("app.test", Cancelled);

        var renewed = await app.Certificates.RenewAsync("app.test", Cancelled);
        var after = await app.ConnectAsync("app.test", Cancelled);

        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        Assert.Equal(renewed.SerialNumber, after.SerialNumber);
        Assert.NotEqual(before.Leaf.GetPublicKeyString(), after.Leaf.GetPublicKeyString());
    }

    [Fact]
    public async Task Renew_UnknownName_SaysWhichAreManaged()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"));

        var exception = await Assert.ThrowsAsync<KeyNotFoundException>(() => app.Certificates.RenewAsync("other.test", Cancelled));

        Assert.Contains("app.test", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_Fails_KeepsServingAndSaysWhy()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var before = await app.ConnectAsync("app.test", Cancelled);
        fixture.Authority.Faults.FailValidation("app.test", "unauthorized", "the answer was wrong");

        var exception = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        Assert.Contains("the answer was wrong", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Equal(CertificateState.Waiting, app.Certificates.Find("app.test")!.State);
    }

    [Fact]
    public async Task Renew_ReplacesRefused_IsRetriedWithoutIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        fixture.Authority.Faults.RefuseReplaces = new LocalAuthority.Faults.RefusedReplaces(
            "alreadyReplaced", 409, "It was replaced already.");

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.True(app.Log.Has("ReplacesRefused"));
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Renew_AccountLost_RegistersTheSameKeyAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        fixture.Authority.Faults.LoseAccounts();

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.True(app.Log.Has("AccountLost"));
    }

    [Fact]
    public async Task Advice_AlwaysToRenewAtOnce_IsNotFollowedWithoutEnd()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var ago = TimeProvider.System.GetUtcNow().AddHours(-2);
        fixture.Authority.RenewalInformation.SetForAll(new RenewalWindow(ago, ago.AddHours(1)));
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"));

        // The log follows the state.
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.HeldBackUntil is not null && app.Log.Has("RenewalHeldBack"),
            () => $"a renewal that is held back\n{app.Log}",
            cancellationToken: Cancelled);

        var status = app.Certificates.Find("app.test")!;
        Assert.Equal(status.HeldBackUntil, status.NextOrder);
        Assert.True(status.NextOrder > TimeProvider.System.GetUtcNow().AddMinutes(30), $"{status.NextOrder}");
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }
}
