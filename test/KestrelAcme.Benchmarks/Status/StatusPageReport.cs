using System.Diagnostics;
using KestrelAcme.Benchmarks.Idle;
using KestrelAcme.Certificates.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Benchmarks.Status;

/// <summary>How long the status page takes, and how large it is, beside a page of the same app that does nothing.</summary>
internal static class StatusPageReport
{
    private const int Rounds = 200;

    public static async Task<int> RunAsync()
    {
        Console.WriteLine("| certificates | request | median, ms | 95 %, ms | KB | beside an empty page |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var count in (int[])[1, 1000, 10_000])
        {
            await using var app = IdleReport.Build(await IdleReport.FillAsync(count), count);
            app.MapAcmeHttpsStatus();
            app.MapGet("/empty", () => "");
            await app.StartAsync();
            if (!await IdleReport.LoadAsync(app.Services.GetRequiredService<CertificateCatalog>()))
            {
                Console.WriteLine("Not loaded: nothing to measure.");
                return 1;
            }

            await MeasureAsync(app, count);
            await app.StopAsync();
        }

        return 0;
    }

    private static async Task MeasureAsync(WebApplication app, int count)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .First(a => a.StartsWith("http://", StringComparison.Ordinal));
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(address) };
        var empty = await MeasureAsync(client, "/empty", "text/html");
        foreach (var (name, path, accept) in new (string, string, string)[]
        {
            ("page", "/acme-status", "text/html"),
            ("last page", "/acme-status?page=9999", "text/html"),
            ("search", $"/acme-status?name=n{count - 1}.", "text/html"),
            ("JSON", "/acme-status", "application/json"),
        })
        {
            var (median, most, length) = await MeasureAsync(client, path, accept);
            Console.WriteLine(
                $"| {count:N0} | {name} | {median:0.00} | {most:0.00} | {length / 1024.0:0.0} | {median / empty.Median:0.0} |");
        }
    }

    private static async Task<(double Median, double Most, int Length)> MeasureAsync(HttpClient client, string path, string accept)
    {
        List<double> times = [];
        var length = 0;
        for (var i = 0; i < Rounds * 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Accept.ParseAdd(accept);
            var started = Stopwatch.GetTimestamp();
            using var response = await client.SendAsync(request);
            length = (await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync()).Length;
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        // The first half warms up.
        times.RemoveRange(0, Rounds);
        times.Sort();
        return (times[Rounds / 2], times[Rounds * 95 / 100], length);
    }
}
