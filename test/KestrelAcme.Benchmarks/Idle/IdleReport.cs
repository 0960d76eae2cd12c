using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.Idle;

/// <summary>What the engine costs with many certificates of which none is due: the processor time of each minute until it idles, and of one look at their revocation lists.</summary>
/// <remarks>The certificates are of one hundred kinds, each with a revocation list of its own that cannot be fetched; renewal information was asked for and is not due.</remarks>
internal static class IdleReport
{
    private const int Kinds = 100;

    // After the start the store is read through once more, at leisure: 64 certificates a second.
    private const int LongestMinutes = 40;
    private const long IdleBytes = 5_000_000;
    private static readonly Uri Directory = new("https://127.0.0.1:1/directory");

    public static async Task<int> RunAsync(int count)
    {
        var storage = await FillAsync(count);
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0;https://127.0.0.1:0");
        builder.Services.AddSingleton<IAcmeStorage>(storage);
        builder.Services.AddSingleton(new IssuanceSettings { LoadTime = TimeSpan.FromMinutes(20) });
        builder.Services.AddAcmeHttps(options =>
        {
            options.DirectoryUrl = Directory.ToString();
            options.AcceptTermsOfService = true;
            options.DomainNames = [.. Enumerable.Range(0, count).Select(Name)];
        });
        await using var app = builder.Build();
        var clock = Stopwatch.StartNew();
        await app.StartAsync();
        var catalog = app.Services.GetRequiredService<CertificateCatalog>();
        while (catalog.All.Any(c => c.Current is null))
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }

        Console.WriteLine($"{count:N0} certificates known after {clock.Elapsed.TotalSeconds:0.0} s.");
        await Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System);
        var watcher = app.Services.GetRequiredService<RevocationWatcher>();
        await watcher.LookAsync(CancellationToken.None);
        await MeasureAsync("A look at the revocation lists, none due", () => watcher.LookAsync(CancellationToken.None));
        for (var i = 0; i < LongestMinutes; i++)
        {
            if (await MeasureAsync("A minute", () => Task.Delay(TimeSpan.FromMinutes(1), TimeProvider.System)) < IdleBytes)
            {
                break;
            }
        }

        await app.StopAsync();
        return 0;
    }

    private static async Task<long> MeasureAsync(string what, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (before, allocated, clock) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(), Stopwatch.StartNew());
        await work();
        process.Refresh();
        var used = process.TotalProcessorTime - before;
        var bytes = GC.GetTotalAllocatedBytes() - allocated;
        Console.WriteLine($"{what}: {used.TotalMilliseconds:0} ms of processor time in {clock.Elapsed.TotalSeconds:0.000} s ({used / clock.Elapsed:P2}), {bytes / 1048576.0:0.0} MB allocated.");
        return bytes;
    }

    private static string Name(int index) => $"n{index}.test";

    private static async Task<InMemoryStorage> FillAsync(int count)
    {
        var storage = new InMemoryStorage();
        var kinds = Enumerable.Range(0, Kinds).Select(Record).ToList();
        for (var i = 0; i < count; i++)
        {
            var record = kinds[i % Kinds];
            var snapshot = CertificateSnapshot.Read(record);
            var state = new CertificateStateRecord
            {
                State = CertificateState.Valid,
                RenewalInfo = new RenewalInfoRecord { SerialNumber = snapshot.SerialNumber, NextPoll = TimeProvider.System.GetUtcNow().AddHours(6) },
            };
            await storage.WriteAsync(StorageLayout.Certificate(Name(i)), CertificateFile.Encode(record with { Metadata = record.Metadata with { Names = [Name(i)] } }));
            await storage.WriteAsync(StorageLayout.State(Name(i)), StateFile.Encode(state));
        }

        return storage;
    }

    private static CertificateRecord Record(int kind)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=Idle root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var root = rootRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(365));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=idle", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"http://127.0.0.1:1/{kind}.crl"]));
        using var leaf = request.Create(root, now, now.AddDays(90), [1, (byte)kind]);
        return new CertificateRecord([leaf.RawData, root.RawData], key.ExportPkcs8PrivateKey(), new CertificateMetadata
        {
            Names = ["idle"],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = Directory,
            AccountUrl = new Uri(Directory, "/account/1"),
            ObtainedAt = now,
            Jitter = 0.5,
        });
    }
}
