using System.Net;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.RestartStorm.Tests;

/// <summary>A crash loop over two days of simulated time, for a name that leads to a port at which nothing listens.</summary>
[Long]
public sealed class HopelessNameStormTests(ITestOutputHelper output)
{
    private const string Name = "hopeless.test";
    private const int Seed = 8555;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(40);
    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(3);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_KilledAgainAndAgain_RemembersItsFailures()
    {
        using var folder = new TemporaryFolder();
        var time = new ShiftedTimeProvider();
        await using var authority = await LocalAcmeAuthority.StartAsync(
            options =>
            {
                options.InMemory = true;
                options.TimeProvider = time;
            },
            Cancelled);
        authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, FreePort.Tcp()));
        var app = new StormApp(
            authority.DirectoryUrl, folder.Write("root.pem", authority.RootPem), folder.Combine("store"), Name, FreePort.Tcp());
        var random = new Random(Seed);
        var attempts = new List<TimeSpan>();

        // On a busy machine none of the short lives below may come as far as an order: the first one lasts until a failure is noted.
        await using (var first = app.Start(TimeSpan.Zero))
        {
            await first.WaitForLineAsync("The next attempt is at", cancellationToken: Cancelled);
            await first.KillAsync(Cancelled);
        }

        for (var ahead = TimeSpan.Zero; ahead < 2 * Day; ahead += Step)
        {
            time.Ahead = ahead;
            await app.LiveAsync(LongestLife * random.NextDouble(), ahead);
            attempts.AddRange(Enumerable.Repeat(ahead, authority.Validations.Count - attempts.Count));
        }

        output.WriteLine($"Validations at {string.Join(", ", attempts)}.");
        Assert.InRange(attempts.Count(a => a < Day), 1, 5);
        Assert.InRange(attempts.Count(a => a >= Day), 0, 1);
        Assert.Single(authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.Empty(authority.Issued);
    }
}
