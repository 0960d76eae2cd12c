using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Load;

/// <summary>A hundred renewals in a row while clients never stop.</summary>
[Long]
public sealed class RenewalUnderLoadTests
{
    private const string Name = "app.test";
    private const int Renewals = 100;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_AHundredTimesUnderLoad_NoHandshakeFailsAndNoRequestIsDropped()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(Name);
        var seen = new ConcurrentDictionary<string, int>();
        var failures = new ConcurrentQueue<string>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var counts = new int[3];
        Task[] clients =
        [
            .. Enumerable.Range(0, 4).Select(_ => RunAsync(0, () => HandshakeAsync(app, seen))),
            .. Enumerable.Range(0, 3).Select(_ => RequestsAsync(1, HttpVersion.Version11)),
            .. Enumerable.Range(0, 3).Select(_ => RequestsAsync(2, HttpVersion.Version20)),
        ];

        for (var i = 0; i < Renewals; i++)
        {
            await app.Certificates.RenewAsync(Name, Cancelled);
        }

        await end.CancelAsync();
        await Task.WhenAll(clients);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{counts[0]} handshakes, {counts[1]} HTTP/1.1 and {counts[2]} HTTP/2 requests; {seen.Count} certificates seen.");
        Assert.Empty(failures);
        Assert.All(counts, count => Assert.True(count > Renewals, "There was no load."));
        Assert.Equal(Renewals + 1, fixture.Authority.Issued.Select(c => c.SerialNumber).Distinct().Count());
        Assert.Empty(seen.Keys.Except(fixture.Authority.Issued.Select(c => c.SerialNumber)));
        Assert.True(seen.Count > 20, $"Only {seen.Count} certificates were seen.");
        Assert.Equal(fixture.Authority.Issued[^1].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);

        async Task RequestsAsync(int kind, Version version)
        {
            using var client = Client(app, version);
            await RunAsync(
                kind, async () => Assert.Equal("Hello over HTTPS", await client.GetStringAsync(new Uri($"https://{Name}/"), Cancelled)));
        }

        async Task RunAsync(int kind, Func<Task> once)
        {
            await Task.Yield();
            while (!end.IsCancellationRequested)
            {
                try
                {
                    await once();
                    Interlocked.Increment(ref counts[kind]);
                }
                catch (Exception exception) when (!Cancelled.IsCancellationRequested)
                {
                    failures.Enqueue(exception.ToString());
                }
            }
        }
    }

    private static async Task HandshakeAsync(AcmeApp app, ConcurrentDictionary<string, int> seen)
    {
        var answer = await app.ConnectAsync(Name, Cancelled);
        Assert.Null(answer.Refusal);
        seen.AddOrUpdate(answer.SerialNumber, 1, (_, n) => n + 1);
    }

    private static HttpClient Client(AcmeApp app, Version version) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(app.Https, token);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
#pragma warning disable CA5359 // Which certificate is served is looked at by the other clients.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        },
    })
    {
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}
