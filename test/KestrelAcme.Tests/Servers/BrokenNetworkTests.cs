using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Protocol;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Servers;

/// <summary>A CA behind networks that swallow packets, or answer in its place: real ones, in namespaces of their own.</summary>
[Long]
public sealed class BrokenNetworkTests
{
    private const string Name = "app.test";

    private static readonly IPAddress Broken = IPAddress.Parse("10.77.1.2");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Authority_OneAddressSwallowsConnections_TheOtherIsUsed()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("fd77::2 localhost\n127.0.0.1 localhost\n", Cancelled);
            return;
        }

        Assert.Contains(await Dns.GetHostAddressesAsync("localhost", Cancelled), address => address.Equals(IPAddress.Parse("fd77::2")));
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://localhost:{fixture.Authority.DirectoryUrl.Port}/directory";
        await using var app = await fixture.StartAppAsync(settings);

        await app.ObtainedAsync(Name);

        Assert.Empty(app.Log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.ToString()));
    }

    [Fact]
    public async Task Authority_OneAddressBreaksTls_TheOtherIsUsedNext()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("10.77.1.2 localhost\n127.0.0.1 localhost\n", Cancelled);
            return;
        }

        await using var fixture = await LocalFixture.StartAsync();
        await using var broken = new OddHttpServer(Broken, fixture.Authority.DirectoryUrl.Port);
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://localhost:{fixture.Authority.DirectoryUrl.Port}/directory";
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Authority_NoAddressAnswers_TheMessageNamesEachAndWhatItDid()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync(
                "127.0.0.1 localhost\nfd77::2 ca.test\n10.77.0.2 ca.test\n10.77.1.2 ca.test\n", Cancelled);
            return;
        }

        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://ca.test:{FreePort.Tcp()}/directory";

        // An attempt to connect takes 25 s.
        var once = QuickIssuance.Settings with { RequestRetries = new AcmeRetryOptions { MaxAttempts = 1 } };
        await using var app = await fixture.StartAppAsync(settings, configure: builder => builder.Services.AddSingleton(once));

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null, () => $"a failure\n{app.Log}", TimeSpan.FromMinutes(2), Cancelled);

        var failure = app.Certificates.Find(Name)!.Failure!;
        Assert.Equal(FailureCause.Authority, failure.Cause);
        Assert.Contains("fd77::2 did not answer", failure.Message, StringComparison.Ordinal);
        Assert.Contains("10.77.0.2 did not answer", failure.Message, StringComparison.Ordinal);
        Assert.Contains("10.77.1.2 refused the connection", failure.Message, StringComparison.Ordinal);
    }
}
