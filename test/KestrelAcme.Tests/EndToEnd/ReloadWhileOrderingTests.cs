using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>The operator mends the settings while an order under the old ones is still being validated.</summary>
public sealed class ReloadWhileOrderingTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reload_TheOrderFailsAfterIt_IsTriedAtOnceUnderTheNewSettings()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        fixture.Authority.Faults.FailValidation(Name, "caa", "forbidden", times: 1);
        var day = QuickIssuance.Settings.Retries with { Operator = TimeSpan.FromDays(1) };
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:ChallengeTypes:0"] = "http-01";
        var clock = new FakeTimeProvider();
        await using var app = await fixture.StartAppAsync(
            settings,
            acme => acme.Services.SetReloaderClock(clock),
            builder => builder.Services.AddSingleton(QuickIssuance.Settings with { Retries = day }));
        await Poll.UntilAsync(() => fixture.PostedChallenges > 0, "the post", cancellationToken: Cancelled);

        var configuration = (IConfigurationRoot)app.Services.GetRequiredService<IConfiguration>();
        configuration["AcmeHttps:ChallengeTypes:1"] = "tls-alpn-01";
        configuration.Reload();
        clock.Advance(ConfigurationReloader.Quiet);
        var catalog = app.Services.GetRequiredService<CertificateCatalog>();
        await Poll.UntilAsync(
            () => catalog.Find(Name)!.Specification.ChallengeTypes.Count == 2, "the reload", cancellationToken: Cancelled);
        fixture.Authority.Faults.ValidationStuck = false;

        await app.ObtainedAsync(Name);
        Assert.True(app.Log.Has("CertificateBlocked"));
    }
}
