using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.Idle;

/// <summary>
/// What the engine costs with many certificates of which none is due: what follows a start, then the processor time of idle minutes and of
/// one look at their revocation lists.
/// </summary>
/// <remarks>
/// The certificates are of one hundred kinds, each with a revocation list of its own that cannot be fetched; renewal information was asked
/// for and is not due.
/// </remarks>
internal static class IdleReport
{
    private const int Kinds = 100;
    private const int IdleMinutes = 3;

    // After the start the store is read through once more, at leisure: 64 certificates a second, a hundred thousand in 26 minutes. The
    // tidying comes after ten.
    private const int FewReads = 64;
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly Uri Directory = new("https://127.0.0.1:1/directory");

    public static async Task<int> RunAsync(int count)
    {
        var storage = new CountingStorage(await FillAsync(count));
        await using var app = Build(storage, count);
        var span = new Span();
        await app.StartAsync();
        if (!await LoadAsync(app.Services.GetRequiredService<CertificateCatalog>()))
        {
            Console.WriteLine($"Not loaded within {LongestStart.TotalMinutes:0} minutes: nothing to measure.");
            return 1;
        }

        Console.WriteLine($"Loading {count:N0} certificates: {span}.");
        await SettleAsync(storage);
        var watcher = app.Services.GetRequiredService<RevocationWatcher>();
        await watcher.LookAsync(CancellationToken.None);
        span = new Span();
        await watcher.LookAsync(CancellationToken.None);
        Console.WriteLine($"A look at the revocation lists, none due: {span}.");
        for (var i = 0; i < IdleMinutes; i++)
        {
            span = new Span();
            var reads = storage.Reads;
            await Task.Delay(Minute, TimeProvider.System);
            Console.WriteLine($"An idle minute: {span}, {storage.Reads - reads} values read.");
        }

        await app.StopAsync();
        return 0;
    }

    public static WebApplication Build(IAcmeStorage storage, int count)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0;https://127.0.0.1:0");
        builder.Services.AddSingleton(storage);
        builder.Services.AddSingleton(new IssuanceSettings { LoadTime = TimeSpan.FromMinutes(20) });
        builder.Services.AddAcmeHttps(options =>
        {
            options.DirectoryUrl = Directory.ToString();
            options.AcceptTermsOfService = true;
            options.DomainNames = [.. Enumerable.Range(0, count).Select(Name)];
        });
        return builder.Build();
    }

    public static async Task<bool> LoadAsync(CertificateCatalog catalog)
    {
        var span = new Span();
        while (catalog.All.Any(c => c.Current is null))
        {
            if (span.Elapsed > LongestStart)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System);
        }

        return true;
    }

    // Over when a minute passes in which next to nothing is asked of the store.
    private static async Task SettleAsync(CountingStorage storage)
    {
        var span = new Span();
        var first = storage.Reads;
        long reads;
        do
        {
            var before = storage.Reads;
            await Task.Delay(Minute, TimeProvider.System);
            reads = storage.Reads - before;
            Console.Error.Write('.');
        }
        while (reads > FewReads && span.Elapsed < LongestStart);

        Console.Error.WriteLine();
        Console.WriteLine(
            $"The first looks and the read-through: {span}, {storage.Reads - first:N0} values read"
            + $"{(reads > FewReads ? "; NOT over yet, what follows has a part of it" : "")}.");
    }

    private static string Name(int index) => $"n{index}.test";

    public static async Task<InMemoryStorage> FillAsync(int count)
    {
        var storage = new InMemoryStorage();
        var kinds = Enumerable.Range(0, Kinds).Select(CreateKind).ToList();
        for (var i = 0; i < count; i++)
        {
            var record = Record(kinds[i % Kinds], i % Kinds, i);
            var snapshot = CertificateSnapshot.Read(record);
            var state = new CertificateStateRecord
            {
                State = CertificateState.Valid,
                RenewalInfo = new RenewalInfoRecord
                {
                    SerialNumber = snapshot.SerialNumber,
                    NextPoll = TimeProvider.System.GetUtcNow().AddHours(6),
                },
            };
            await storage.WriteAsync(StorageLayout.Certificate(Name(i)), CertificateFile.Encode(record));
            await storage.WriteAsync(StorageLayout.State(Name(i)), StateFile.Encode(state));
        }

        return storage;
    }

    private static (X509Certificate2 Root, ECDsa Key) CreateKind(int kind)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=Idle root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return (rootRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(365)), ECDsa.Create(ECCurve.NamedCurves.nistP256));
    }

    private static CertificateRecord Record((X509Certificate2 Root, ECDsa Key) of, int kind, int index)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=idle", of.Key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name(index));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"http://127.0.0.1:1/{kind}.crl"]));
        using var leaf = request.Create(of.Root, now, now.AddDays(90), BitConverter.GetBytes(index + 1L));
        return new CertificateRecord([leaf.RawData, of.Root.RawData], of.Key.ExportPkcs8PrivateKey(), new CertificateMetadata
        {
            Names = [Name(index)],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = Directory,
            AccountUrl = new Uri(Directory, "/account/1"),
            ObtainedAt = now,
            Jitter = 0.5,
        });
    }
}
