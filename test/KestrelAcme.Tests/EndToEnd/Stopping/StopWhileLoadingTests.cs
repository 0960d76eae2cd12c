using System.Globalization;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Certificates.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>The host stops while ten thousand certificates are read from a store that takes a minute for them.</summary>
public sealed class StopWhileLoadingTests
{
    private const int Names = 10_000;

    // Half of what it takes to read them all.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stop_StillLoading_EndsAtOnceWithoutAnError()
    {
        var storage = new SlowStorage(await FilledAsync(), TimeSpan.FromMilliseconds(5));
        var app = await StartAsync(storage, TimeSpan.FromMilliseconds(500), Cancelled);
        var started = TimeProvider.System.GetTimestamp();

        await app.StopAsync(Cancelled);

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, LongestStop);
        Assert.InRange(storage.Reads, 1, Names - 1);
        Assert.DoesNotContain(app.Log.Lines, l => l.Level >= LogLevel.Error && l.Event.Name != "StoreSlowAtLoad");
        await app.DisposeAsync();
    }

    [Fact]
    public async Task Start_CancelledWhileLoading_EndsAtOnce()
    {
        var storage = new SlowStorage(await FilledAsync(), TimeSpan.FromMilliseconds(5));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        var started = TimeProvider.System.GetTimestamp();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => StartAsync(storage, TimeSpan.FromMinutes(1), stop.Token));

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, LongestStop);
    }

    private static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"n{index}.test");

    private static async Task<InMemoryStorage> FilledAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        var record = SampleCertificates.Snapshot(NameOf(0), now.AddDays(-1), now.AddDays(89)).Record;
        var storage = new InMemoryStorage();
        for (var i = 0; i < Names; i++)
        {
            var named = record with { Metadata = record.Metadata with { Names = [NameOf(i)] } };
            await storage.WriteAsync(StorageLayout.Certificate(NameOf(i)), CertificateFile.Encode(named), cancellationToken: Cancelled);
        }

        return storage;
    }

    private static Task<AcmeApp> StartAsync(SlowStorage storage, TimeSpan loadTime, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:Issuance"] = "ServeOnly",
        };
        for (var i = 0; i < Names; i++)
        {
            settings[string.Create(CultureInfo.InvariantCulture, $"AcmeHttps:DomainNames:{i}")] = NameOf(i);
        }

        return AcmeApp.StartAsync(
            settings,
            configure: builder =>
            {
                builder.Services.AddSingleton<IAcmeStorage>(storage);
                builder.Services.AddSingleton(new IssuanceSettings { LoadTime = loadTime, LoadAhead = loadTime });
            },
            cancellationToken: cancellationToken);
    }
}
