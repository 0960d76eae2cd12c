using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Domains;

public sealed class CertificateReconcilerTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LoadAsync_SomeAreStored_TheseAreServedAndTheOthersKnownToBeMissing()
    {
        await using var parts = new EngineParts(["stored.test", "new.test"]);
        var stored = await StoreAsync(parts, "stored.test");

        await parts.Get<CertificateReconciler>().LoadAsync(CancellationToken.None, Cancelled);

        Assert.Equal(stored, parts.Catalog.Find("stored.test")!.Current?.SerialNumber);
        Assert.True(parts.Catalog.Find("new.test") is { IsLoaded: true, Current: null });
        Assert.False(parts.Catalog.HasUnread);
        Assert.Equal(0, parts.Clients.Asked);
    }

    [Fact]
    public async Task ReconcileAsync_SourceChanges_NewNamesAreManagedAndLostOnesOnlyServed()
    {
        var source = new ChangingSource { Names = ["a.test", "b.test"] };
        await using var parts = new EngineParts([], source: source);
        var stored = await StoreAsync(parts, "a.test");
        var reconciler = parts.Get<CertificateReconciler>();
        await reconciler.LoadAsync(CancellationToken.None, Cancelled);

        source.Names = ["b.test", "c.test"];
        await reconciler.ReconcileAsync(Cancelled);

        Assert.Equal(["b.test", "c.test"], parts.Catalog.All.Select(c => c.Id).Order());
        Assert.Contains(stored, parts.Catalog.Served.Select(c => c.Current?.SerialNumber));
        Assert.True(parts.Log.Has("CertificatesChanged"));
    }

    [Fact]
    public async Task ReconcileAsync_CallsDuringARound_ShareTheNextOne()
    {
        var source = new ChangingSource { Names = ["a.test"] };
        await using var parts = new EngineParts([], source: source);
        var reconciler = parts.Get<CertificateReconciler>();
        source.Hold();
        var first = reconciler.ReconcileAsync(Cancelled);
        await Poll.UntilAsync(() => source.Questions == 1, "the first round", cancellationToken: Cancelled);

        var second = reconciler.ReconcileAsync(Cancelled);
        var third = reconciler.ReconcileAsync(Cancelled);
        source.Release();
        await Task.WhenAll(first, second, third);

        Assert.NotSame(first, second);
        Assert.Same(second, third);
        Assert.Equal(2, source.Questions);
    }

    private static async Task<string> StoreAsync(EngineParts parts, string name)
    {
        var now = parts.Time.GetUtcNow();
        var snapshot = SampleCertificates.Snapshot(name, now.AddDays(-1), now.AddDays(89));
        await parts.Get<CertificateStore>().WriteCertificateAsync(name, snapshot.Record, lease: null, Cancelled);
        return snapshot.SerialNumber;
    }

    private sealed class ChangingSource : IDomainSource
    {
        private volatile TaskCompletionSource _gate = Opened();
        private int _questions;

        public IReadOnlyCollection<string> Names { get; set; } = [];

        public int Questions => Volatile.Read(ref _questions);

        public void Hold() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _gate.SetResult();

        public async Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _questions);
            await _gate.Task.WaitAsync(cancellationToken);
            return Names;
        }

        private static TaskCompletionSource Opened()
        {
            var opened = new TaskCompletionSource();
            opened.SetResult();
            return opened;
        }
    }
}
