using System.Net;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class PebbleServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_Defaults_ServesDirectoryNonceAndRoots()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        using var client = pebble.CreateClient();

        var directory = await client.GetStringAsync(pebble.DirectoryUrl, Cancellation);
        Assert.Contains($"https://127.0.0.1:{pebble.DirectoryUrl.Port}/", directory, StringComparison.Ordinal);
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", await pebble.GetIssuingRootPemAsync(0, Cancellation), StringComparison.Ordinal);
        Assert.Contains("Pebble", pebble.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_AlternateRoots_HasThem()
    {
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { AlternateRoots = 2, ChainLength = 3 }, Cancellation);

        var roots = await Task.WhenAll(Enumerable.Range(0, 3).Select(index => pebble.GetIssuingRootPemAsync(index, Cancellation)));

        Assert.Equal(3, roots.Distinct().Count());
    }

    [Fact]
    public async Task StartAsync_ExternalAccountKeys_DirectoryAsksForBinding()
    {
        var keys = new Dictionary<string, string> { ["kid-1"] = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" };
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { ExternalAccountKeys = keys }, Cancellation);
        using var client = pebble.CreateClient();

        var directory = await client.GetStringAsync(pebble.DirectoryUrl, Cancellation);

        Assert.Matches("\"externalAccountRequired\": *true", directory);
    }

    [Fact]
    public async Task RestartAsync_SamePorts_HasANewRoot()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        using var client = pebble.CreateClient();
        var before = await pebble.GetIssuingRootPemAsync(0, Cancellation);

        await pebble.RestartAsync(Cancellation);

        Assert.NotEqual(before, await pebble.GetIssuingRootPemAsync(0, Cancellation));
        using var response = await client.GetAsync(pebble.DirectoryUrl, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task StopAsync_Running_RefusesConnections()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        using var client = pebble.CreateClient();

        await pebble.StopAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(pebble.DirectoryUrl, Cancellation));
    }
}
