using System.Globalization;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.RestartStorm.Tests;

/// <summary>
/// A crash loop against Pebble, whose validations take up to 15 seconds here, so that most kills come in the middle of one.
/// </summary>
[Long]
public sealed class RestartStormTests(ITestOutputHelper output)
{
    private const int Starts = 100;
    private const int Seed = 8555;
    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_KilledAHundredTimes_CostsTheAuthorityNextToNothing()
    {
        using var folder = new TemporaryFolder();
        await using var pebble = await PebbleServer.StartAsync(
            new PebbleOptions { Sleeps = true, ValidationSleep = TimeSpan.FromSeconds(15) }, Cancelled);
        var app = new StormApp(pebble.DirectoryUrl, pebble.TrustedRootsPath, folder.Combine("store"), "storm.test", pebble.HttpPort);
        var random = new Random(Seed);
        var listened = 0;
        var began = 0;
        for (var i = 0; i < Starts; i++)
        {
            var log = await app.LiveAsync(LongestLife * random.NextDouble());
            listened += StormApp.Listened(log) ? 1 : 0;
            began += log.Contains("ordering from", StringComparison.Ordinal) ? 1 : 0;
        }

        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{listened} of {Starts} came to listen, {began} worked on an order. {PebbleCounts.Of(pebble)}"));
        Assert.True(listened > Starts / 4, $"Only {listened} starts lived long enough to listen: such a storm shows nothing.");

        // It ends, and the certificate is there: at once, or when what failed is due again.
        await using (var last = app.Start())
        {
            await last.WaitForLineAsync(
                l => l.Contains("serving certificate", StringComparison.Ordinal),
                "that it serves a certificate",
                TimeSpan.FromMinutes(3),
                Cancelled);
        }

        var counts = PebbleCounts.Of(pebble);
        output.WriteLine(counts.ToString());
        Assert.Equal(1, counts.Accounts);
        Assert.InRange(counts.Orders, 1, 2);
        Assert.InRange(counts.FailedValidations, 0, 1);
    }
}
