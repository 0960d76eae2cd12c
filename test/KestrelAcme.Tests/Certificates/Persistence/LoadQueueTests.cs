using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Scheduling;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

public sealed class LoadQueueTests
{
    private const int MoreThanABatch = 100;

    private static readonly string[] Names = [.. Enumerable.Range(0, MoreThanABatch).Select(i => $"n{i:000}.test")];

    private readonly ConcurrentQueue<string> _told = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LoadAsync_MoreThanABatch_AllAreReadAndToldOnce()
    {
        await using var parts = new EngineParts(Names);
        var (queue, certificates) = Create(parts);

        await queue.LoadAsync(certificates, CancellationToken.None);

        Assert.All(certificates, certificate => Assert.True(certificate.IsLoaded));
        Assert.False(parts.Catalog.HasUnread);
        Assert.Equal(Names, _told.Order());
    }

    [Fact]
    public async Task ReadNowAsync_TheStoreIsSlow_ReadsTheNameBeforeTheOthers()
    {
        // Batches wait, and the question for one name does not.
        var storage = new GatedStorage(new InMemoryStorage());
        await using var parts = new EngineParts(Names, storage);
        var now = parts.Time.GetUtcNow();
        var wanted = SampleCertificates.Snapshot(Names[^1], now.AddDays(-1), now.AddDays(89));
        await parts.Get<CertificateStore>().WriteCertificateAsync(Names[^1], wanted.Record, lease: null, Cancelled);
        var (queue, certificates) = Create(parts);

        var all = queue.LoadAsync(certificates, CancellationToken.None);
        await queue.ReadNowAsync(Names[^1]);

        Assert.Equal(wanted.SerialNumber, parts.Catalog.Find(Names[^1])!.Current?.SerialNumber);
        Assert.Equal([Names[^1]], _told);
        Assert.True(parts.Catalog.HasUnread);
        storage.Open();
        await all;
        Assert.Equal(Names, _told.Order());
    }

    [Fact]
    public async Task LoadAsync_OneCannotBeRead_IsTriedThreeTimesAndHoldsUpNoOther()
    {
        var storage = new FailingStorage(new InMemoryStorage());
        await using var parts = new EngineParts(Names[..3], storage);
        storage.Unreadable = key => key.Contains(Names[1], StringComparison.Ordinal);
        var (queue, certificates) = Create(parts);

        await queue.LoadAsync(certificates, CancellationToken.None);

        Assert.Equal([Names[0], Names[2]], _told.Order());
        Assert.True(parts.Catalog.HasUnread);
        foreach (var pause in new[] { 5, 10 })
        {
            Assert.False(parts.Catalog.Find(Names[1])!.IsLoaded);
            await parts.Time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(pause), Cancelled);
            parts.Time.Advance(TimeSpan.FromSeconds(pause));
        }

        // Given up: the store is asked again before it is ordered.
        await Poll.UntilAsync(() => _told.Contains(Names[1]), "the last attempt", cancellationToken: Cancelled);
        Assert.True(parts.Catalog.Find(Names[1])!.IsLoaded);
        Assert.False(parts.Catalog.HasUnread);
    }

    [Fact]
    public async Task LoadAsync_OneCanBeReadLater_IsServedThen()
    {
        var storage = new FailingStorage(new InMemoryStorage());
        await using var parts = new EngineParts(Names[..1], storage);
        var now = parts.Time.GetUtcNow();
        var snapshot = SampleCertificates.Snapshot(Names[0], now.AddDays(-1), now.AddDays(89));
        await parts.Get<CertificateStore>().WriteCertificateAsync(Names[0], snapshot.Record, lease: null, Cancelled);
        storage.Unreadable = static _ => true;
        var (queue, certificates) = Create(parts);
        await queue.LoadAsync(certificates, CancellationToken.None);
        Assert.Null(parts.Catalog.Find(Names[0])!.Current);

        storage.Unreadable = static _ => false;
        await parts.Time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(5), Cancelled);
        parts.Time.Advance(TimeSpan.FromSeconds(5));

        await Poll.UntilAsync(() => _told.Contains(Names[0]), "the second attempt", cancellationToken: Cancelled);
        Assert.Equal(snapshot.SerialNumber, parts.Catalog.Find(Names[0])!.Current?.SerialNumber);
    }

    private (LoadQueue Queue, IReadOnlyCollection<ManagedCertificate> Certificates) Create(EngineParts parts)
    {
        parts.Manage();
        IReadOnlyCollection<ManagedCertificate> certificates = [.. parts.Catalog.All];
        foreach (var certificate in certificates)
        {
            certificate.IsLoaded = false;
        }

        var queue = parts.Get<LoadQueue>();
        queue.OnLoaded(certificate => _told.Enqueue(certificate.Id));
        return (queue, certificates);
    }
}
