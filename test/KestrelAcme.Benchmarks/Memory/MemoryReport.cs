using System.Diagnostics;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.Memory;

/// <summary>Working set with 100,000 certificates, the cost of replacing one, and publishing 10,000 at start.</summary>
/// <remarks>
/// Each measurement is a process of its own: a working set does not come back. The certificates come from a file made before.
/// </remarks>
internal static class MemoryReport
{
    private const int All = 100_000;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["child", var count, var inUse, var file])
        {
            return await RunChildAsync(int.Parse(count), int.Parse(inUse), file);
        }

        var path = Path.Combine(Path.GetTempPath(), "kestrelacme-certificates.bin");
        CertificateFile.Write(path, All);
        foreach (var (known, used) in new[] { (0, 0), (1, 1), (100, 100), (10_000, 1), (10_000, 1_000), (All, 1_000) })
        {
            using var child = Process.Start(Environment.ProcessPath!, ChildArguments($"memory child {known} {used} {path}"));
            await child.WaitForExitAsync();
        }

        File.Delete(path);
        return 0;
    }

    private static string ChildArguments(string arguments) =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? $"{typeof(MemoryReport).Assembly.Location} {arguments}"
            : arguments;

    private static async Task<int> RunChildAsync(int count, int used, string file)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("https://127.0.0.1:0");
        builder.Services.AddKestrelTls();
        await using var app = builder.Build();
        var publisher = app.Services.GetRequiredService<ITlsPublisher>();
        var materials = count == 0 ? [] : CertificateFile.Read(file, count);
        var clock = Stopwatch.StartNew();
        var refused = publisher.PublishStored(materials);
        var published = clock.Elapsed;
        await app.StartAsync();
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        clock.Restart();
        for (var i = 0; i < used; i++)
        {
            await Handshakes.HandshakeClient.ConnectAsync(port, CertificateFile.Name(i), resume: false);
        }

        var replace = count == 0 ? 0 : Replace(app.Services.GetRequiredService<TlsCertificateTable>(), materials);
        materials = [];
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(
            $"{count,7} certificates, {used,4} in use: working set {self.WorkingSet64 / 1048576.0:0} MB, "
            + $"published in {published.TotalMilliseconds:0} ms, "
            + $"replacing one {replace:0.0} µs, refused {refused.Count}");
        GC.KeepAlive(materials);
        return 0;
    }

    // Its context is made already: what is measured is the exchange.
    private static double Replace(TlsCertificateTable table, IReadOnlyList<CertificateMaterial> materials)
    {
        const int Times = 2_000;
        var start = 0L;
        for (var i = -200; i < Times; i++)
        {
            if (i == 0)
            {
                start = Stopwatch.GetTimestamp();
            }

            table.PublishStored([materials[(i + 200) % materials.Count]]);
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Times;
    }
}
