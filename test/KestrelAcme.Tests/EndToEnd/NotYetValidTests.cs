using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A CA whose certificates begin in thirty days.</summary>
public sealed class NotYetValidTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_IssuedForTheFuture_TheValidOneIsServedAndTheOrderKept()
    {
        LocalAcmeAuthorityOptions? options = null;
        await using var fixture = await LocalFixture.StartAsync(o => options = o);
        await using var app = await fixture.ServeAsync("app.test");
        var valid = (await app.ConnectAsync("app.test", Cancelled)).SerialNumber;
        options!.Backdate = TimeSpan.FromDays(-30);

        var exception = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        Assert.Contains("valid only from", exception.Message, StringComparison.Ordinal);
        Assert.Equal(valid, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        var status = app.Certificates.Find("app.test")!;
        Assert.Equal(valid, status.SerialNumber);
        Assert.NotNull(status.OrderUrl);
        Assert.True(status.Failure!.NextAttempt > TimeProvider.System.GetUtcNow().AddDays(6));

        // Asked again, it is the same order.
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Obtain_IssuedForTheFutureAndNothingElse_ServedWithAWarning()
    {
        await using var fixture = await LocalFixture.StartAsync(options => options.Backdate = TimeSpan.FromDays(-30));
        await using var app = await fixture.ServeAsync("app.test");

        Assert.Equal(
            fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber, ignoreCase: true);
        Assert.True(app.Log.Has("CertificateNotYetValid"));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Renew_IssuedForTheFutureAndTheCurrentOneIsRevoked_TheNewOneIsServed()
    {
        LocalAcmeAuthorityOptions? options = null;
        await using var fixture = await LocalFixture.StartAsync(o => options = o);
        await using var app = await fixture.ServeAsync("app.test");
        var revoked = (await app.ConnectAsync("app.test", Cancelled)).SerialNumber;
        options!.Backdate = TimeSpan.FromDays(-30);

        await app.Certificates.RevokeAsync("app.test", Protocol.Certificates.RevocationReason.KeyCompromise, Cancelled);

        await Poll.UntilAsync(
            async token => (await app.ConnectAsync("app.test", token)).SerialNumber != revoked,
            "the successor",
            cancellationToken: Cancelled);
    }
}
