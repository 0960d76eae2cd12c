using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

/// <summary>What is set aside is what was refused, and nothing that was stored since.</summary>
public sealed class CertificateStoreTests
{
    private const string Id = "a.test";

    private readonly CertificateStore _store = new(
        new BoundedStorage(new InMemoryStorage(), TimeSpan.FromMinutes(1), TimeProvider.System),
        new LogRecorder().For<CertificateStore>());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TryReadSnapshotAsync_DamagedLeaf_IsSetAsideUnlessAnotherOneIsStoredByNow(bool isReplaced)
    {
        var now = TimeProvider.System.GetUtcNow();
        var good = SampleCertificates.Snapshot(Id, now, now.AddDays(90)).Record;
        var damaged = good with { Chain = [new byte[] { 1, 2, 3 }] };
        await _store.WriteCertificateAsync(Id, damaged, lease: null, Token);
        if (isReplaced)
        {
            await _store.WriteCertificateAsync(Id, good, lease: null, Token);
        }

        Assert.Null(await _store.TryReadSnapshotAsync(Id, damaged, Token));

        Assert.Equal(isReplaced, await _store.ReadCertificateAsync(Id, Token) is not null);
        var aside = isReplaced ? [] : new[] { StorageLayout.Certificate(Id) + ".damaged" };
        Assert.Equal(aside, await _store.Storage.ListAsync("", Token).Where(StorageDamage.IsSetAside).ToListAsync(Token));
    }
}
