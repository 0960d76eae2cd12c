using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What operators ask for all certificates at once: a start that waits for them, their renewal, and their account.</summary>
public sealed class RequiredCertificatesTests
{
    private static readonly string[] Names = ["a.test", "b.test", "c.test"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_CertificatesAreRequired_ReturnsWithAllOfThem()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Names);
        settings["AcmeHttps:RequireCertificateOnStartup"] = "00:01:00";

        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        foreach (var name in Names)
        {
            // Served, if not yet written down that its order is finished.
            var served = await app.ConnectAsync(name, Cancelled);
            Assert.False(served.IsSelfSigned);
            Assert.Equal(app.Certificates.Find(name)!.SerialNumber, served.SerialNumber);
        }

        await app.StopAsync(Cancelled);
    }

    [Fact]
    public async Task Start_RequiredCertificateIsMissing_FailsWithTheReason()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation("b.test");
        var settings = fixture.Settings(Names);
        settings["AcmeHttps:RequireCertificateOnStartup"] = "00:00:02";

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => fixture.StartAppAsync(settings, configure: QuickIssuance.Apply));

        Assert.Contains("RequireCertificateOnStartup", failure.Message, StringComparison.Ordinal);
        Assert.Contains("b.test", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RenewAll_WithFilter_RenewsThoseAlsoAfterARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        IReadOnlyList<CertificateStatus> before;
        await using (var app = await fixture.ServeAsync(fixture.Settings(Names), QuickIssuance.Apply))
        {
            before = app.Certificates.List();
            Assert.Equal(0, await app.Certificates.RenewAllAsync(c => c.Issuer == "another", Cancelled));
            Assert.Equal(
                2,
                await app.Certificates.RenewAllAsync(
                    c => c.Issuer?.Contains("CN=", StringComparison.Ordinal) == true && c.Id != "b.test", Cancelled));
            await app.StopAsync(Cancelled);
        }

        await using var next = await fixture.StartAppAsync(fixture.Settings(Names), configure: QuickIssuance.Apply);
        await Poll.UntilAsync(
            () => before.Where(b => next.Certificates.Find(b.Id)!.SerialNumber != b.SerialNumber).Select(b => b.Id).Order()
                .SequenceEqual(["a.test", "c.test"]),
            () => $"two of them are renewed\n{next.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(5, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task ListAccounts_Registered_HasTheUrlOfTheCertificates()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings("a.test"), QuickIssuance.Apply);

        var account = Assert.Single(await app.Certificates.ListAccountsAsync(Cancelled));

        Assert.Equal(fixture.Authority.DirectoryUrl, account.DirectoryUrl);
        Assert.Equal(account.AccountUrl, app.Certificates.Find("a.test")!.AccountUrl);
    }
}
