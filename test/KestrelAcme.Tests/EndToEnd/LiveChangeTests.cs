using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What changes while the application runs: clients get what the status reports, from the moment that it does.</summary>
public sealed class LiveChangeTests
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
        await using var running = await Running.StartAsync(fixture, Keys(fixture.Settings("app.test"), before));
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
        await using var running = await Running.StartAsync(fixture, Keys(fixture.Settings("app.test"), "EcdsaP256"));
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
        await using var running = await Running.StartAsync(fixture, Keys(fixture.Settings("app.test"), "EcdsaP256"));
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

    [Fact]
    public async Task Names_Regrouped_EachGroupIsServedAsItIsNow()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);

        running.Reload(fixture.Settings().AddGroup("a.test", "b.test"));
        await running.SettledAsync(1);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync("b.test"));

        running.Reload(fixture.Settings("a.test").AddGroup("b.test", "c.test"));
        await running.SettledAsync(2);
        Assert.Equal(await running.SerialNumberAsync("b.test"), await running.SerialNumberAsync("c.test"));
        Assert.NotEqual(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync("b.test"));
    }

    [Fact]
    public async Task Names_OneGroupSplitWhileOnePartCannotBeObtained_TheOldOneServesThatPartOnly()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings().AddGroup("a.test", "b.test"));
        await running.SettledAsync(1);
        var group = await running.SerialNumberAsync("a.test");
        fixture.Authority.Faults.FailValidation("b.test", "caa", "forbidden", times: 100);

        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(
            () => running.App.Certificates.Find("a.test") is { SerialNumber: not null, DomainNames.Count: 1 },
            "the certificate for a.test",
            cancellationToken: Cancelled);

        Assert.Equal(running.App.Certificates.Find("a.test")!.SerialNumber, await running.SerialNumberAsync("a.test"));
        Assert.Equal(group, await running.SerialNumberAsync("b.test"));
    }

    [Fact]
    public async Task Name_RemovedAndAddedBack_IsReportedAsItIsServedAndNotOrderedAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        var served = await running.SerialNumberAsync("b.test");

        running.Reload(fixture.Settings("a.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is null, "the removal", cancellationToken: Cancelled);
        Assert.Equal(served, await running.SerialNumberAsync("b.test"));
        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is not null, "the name's return", cancellationToken: Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Equal(served, running.App.Certificates.Find("b.test")!.SerialNumber);
        await running.App.Certificates.RenewAsync("b.test", Cancelled);
        await running.AssertServedAsReportedAsync();
        Assert.NotEqual(served, await running.SerialNumberAsync("b.test"));
        Assert.Equal(3, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Name_AddedBackWhenTheStoreCannotBeRead_IsReportedAsItIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        running.Reload(fixture.Settings("a.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is null, "the removal", cancellationToken: Cancelled);
        File.Delete(Path.Combine(fixture.StorePath, "certificates", "b.test.pem"));

        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is not null, "the name's return", cancellationToken: Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Authority_Changed_TheNextCertificateComesFromTheNewOneAndIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        other.Authority.Resolve("app.test", running.App.Http);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:DirectoryUrl"] = other.Authority.DirectoryUrl.ToString();
        settings["AcmeHttps:TrustedRootsPath"] = other.RootPath;

        running.Reload(settings);
        await Poll.UntilAsync(
            () => running.App.Services.GetRequiredService<KestrelAcme.Configuration.Snapshot.ConfigurationSource>()
                .Current.Authorities[0].DirectoryUrl == other.Authority.DirectoryUrl,
            "the reload", cancellationToken: Cancelled);
        await running.App.Certificates.RenewAsync("app.test", Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Single(other.Authority.Issued);
        Assert.Equal(other.Authority.DirectoryUrl, running.App.Certificates.Find("app.test")!.DirectoryUrl);
    }

    [Fact]
    public async Task DefaultServerName_Changed_ClientsWithoutNameGetTheOther()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("a.test", "b.test");
        settings["AcmeHttps:DefaultServerName"] = "a.test";
        await using var running = await Running.StartAsync(fixture, settings);
        await running.SettledAsync(2);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync(null));

        settings["AcmeHttps:DefaultServerName"] = "b.test";
        running.Reload(settings);

        var expected = await running.SerialNumberAsync("b.test");
        await Poll.UntilAsync(
            async _ => await running.SerialNumberAsync(null) == expected,
            "b.test's certificate for clients without a name",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task SoleName_JoinedByAnother_ClientsWithoutNameAreServedWhileItIsAlone()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("a.test"));
        await running.SettledAsync(1);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync(null));

        running.Reload(fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        Assert.Null(await running.SerialNumberAsync(null));
        Assert.True(running.App.Log.Has("NamelessClientRefused"));
    }

    [Fact]
    public async Task Certificate_RenewedThenRevoked_TheSuccessorIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        var first = await running.SerialNumberAsync("app.test");

        await running.App.Certificates.RenewAsync("app.test", Cancelled);
        await running.AssertServedAsReportedAsync();
        var second = await running.SerialNumberAsync("app.test");
        Assert.NotEqual(first, second);

        await running.App.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);
        await Poll.UntilAsync(
            () => running.App.Certificates.Find("app.test") is { Revoked: false } status && status.SerialNumber != second,
            "the successor",
            cancellationToken: Cancelled);
        await running.AssertServedAsReportedAsync();
    }

    [Fact]
    public async Task Certificate_RenewedByAnotherInstance_IsServedByThisOne()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await Running.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var other = await Running.StartAsync(fixture, settings);
        await other.SettledAsync(1);

        var renewed = await running.App.Certificates.RenewAsync("app.test", Cancelled);
        await Poll.UntilAsync(
            () => other.App.Certificates.Find("app.test")!.SerialNumber == renewed.SerialNumber,
            "the other instance",
            cancellationToken: Cancelled);

        await other.AssertServedAsReportedAsync();
        await running.AssertServedAsReportedAsync();
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

    /// <summary>An application whose settings can be replaced as a whole.</summary>
    private sealed class Running(LocalFixture fixture, ChangingConfiguration configuration, IPEndPoint http, AcmeApp app) : IAsyncDisposable
    {
        public AcmeApp App { get; } = app;

        public static async Task<Running> StartAsync(LocalFixture fixture, Dictionary<string, string?> settings)
        {
            var http = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
            Resolve(fixture, http, settings);
            var configuration = new ChangingConfiguration();
            configuration.Change(Values(settings));
            var app = await fixture.StartAppAsync(new() { ["urls"] = $"http://{http};https://127.0.0.1:0" }, configure: builder =>
            {
                QuickIssuance.Apply(builder);
                ((IConfigurationBuilder)builder.Configuration).Add(configuration);
            });
            return new Running(fixture, configuration, http, app);
        }

        public void Reload(Dictionary<string, string?> settings)
        {
            Resolve(fixture, http, settings);
            configuration.Change(Values(settings));
        }

        /// <summary>Waits until the status reports a certificate for all that is wanted, and looks at what clients get.</summary>
        public async Task SettledAsync(int count, Func<CertificateStatus, bool>? all = null)
        {
            await Poll.UntilAsync(
                () => App.Certificates.List() is var list
                    && list.Count == count
                    && list.All(s => s.SerialNumber is not null && (all?.Invoke(s) ?? true)),
                () => $"{count} certificates\n{App.Log}", cancellationToken: Cancelled);
            await AssertServedAsReportedAsync();
        }

        /// <summary>
        /// Every name is served by a certificate that the status reports for it, and every certificate is served to the clients that can
        /// use no other.
        /// </summary>
        public async Task AssertServedAsReportedAsync()
        {
            var reported = App.Certificates.List();
            foreach (var name in reported.SelectMany(s => s.DomainNames).Distinct())
            {
                Assert.Contains(
                    await SerialNumberAsync(name), reported.Where(s => s.DomainNames.Contains(name)).Select(s => s.SerialNumber));
            }

            foreach (var status in reported)
            {
                var schemes = status.Id.Contains("+rsa", StringComparison.Ordinal) ? "RSA-PSS+SHA256"
                    : status.Id.Contains("+ecdsap384", StringComparison.Ordinal) ? "ECDSA+SHA384"
                    : "ECDSA+SHA256";
                var served = await OpenSsl.ShowCertificatesAsync(
                    App.Https.Port, status.DomainNames[0], ["-tls1_3", "-sigalgs", schemes], cancellationToken: Cancelled);
                Assert.Equal(status.SerialNumber, served.LoadLeaf().SerialNumber);
            }
        }

        public async Task<string?> SerialNumberAsync(string? name)
        {
            var served = await OpenSsl.ShowCertificatesAsync(App.Https.Port, name, cancellationToken: Cancelled);
            return served.CertificatesPem.Count == 0 ? null : served.LoadLeaf().SerialNumber;
        }

        public async Task<bool> ServesRsaAsync(string name)
            => (await OpenSsl.ShowCertificatesAsync(
                App.Https.Port, name, cancellationToken: Cancelled)).LoadLeaf().PublicKey.GetRSAPublicKey() is not null;

        public ValueTask DisposeAsync() => App.DisposeAsync();

        private static (string Key, string? Value)[] Values(Dictionary<string, string?> settings)
            => [.. settings.Select(s => (s.Key["AcmeHttps:".Length..], s.Value))];

        private static void Resolve(LocalFixture fixture, IPEndPoint http, Dictionary<string, string?> settings)
        {
            foreach (var name in settings.AllNames())
            {
                fixture.Authority.Resolve(name, http);
            }
        }
    }
}
