using System.Globalization;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Ten concurrent orders at Pebble from two processes, in one zone of BIND.</summary>
public sealed class DnsProcessesTests : IDisposable
{
    private const int Orders = 5;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>One process orders a name, the other its wildcard: two values of one record name, with two owners.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_TenOrdersByTwoProcesses_AllSucceedAtOnceAndTheZoneEndsClean(bool sharedStore)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        await using var one = TestAppProcess.Start(Settings(bind, pebble, "store-1", ""), FreePort.Tcp());
        await using var two = TestAppProcess.Start(Settings(bind, pebble, sharedStore ? "store-1" : "store-2", "*."), FreePort.Tcp());

        foreach (var (process, prefix) in new[] { (one, ""), (two, "*.") })
        {
            await process.ListeningAsync();
            for (var i = 0; i < Orders; i++)
            {
                var name = $"{prefix}n{i}.example.test";
                await Poll.UntilAsync(
                    async _ => await process.StateAsync(name) == "Valid",
                    () => $"a certificate for {name}\n{process.Output}",
                    cancellationToken: Cancelled);
            }
        }

        foreach (var process in new[] { one, two })
        {
            Assert.True(await process.StopAsync(), process.Output);
            Assert.Equal(Orders, Count(process.Output, "Created the TXT record"));
            Assert.Equal(Orders, Count(process.Output, "Deleted the TXT record"));
            Assert.DoesNotContain("warn: KestrelAcme", process.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("fail: KestrelAcme", process.Output, StringComparison.Ordinal);
        }

        // All records of the zone, by zone transfer.
        Assert.DoesNotContain(
            await Dig.TransferAsync(bind.Address, "example.test", Cancelled), line => line.Contains("TXT", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private static int Count(string output, string text) => output.Split(text).Length - 1;

    private Dictionary<string, string?> Settings(BindServer bind, PebbleServer pebble, string store, string prefix)
    {
        var settings = BindSettings.AtPebble(bind, pebble, _folder.Combine(store));
        settings["AcmeHttps:MaxConcurrentOrders"] = Orders.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < Orders; i++)
        {
            settings[$"AcmeHttps:DomainNames:{i}"] = $"{prefix}n{i}.example.test";
        }

        return settings;
    }
}
