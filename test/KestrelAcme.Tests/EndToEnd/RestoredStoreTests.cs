using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store that was restored from a backup knows less than the instances that run, and than the CA.</summary>
public sealed class RestoredStoreTests
{
    private const string Name = "app.test";

    private readonly InMemoryStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>The backup was made while an order was under way, which was finished and followed by another one since.</summary>
    [Theory]
    [InlineData(CertificateState.Ordering)]
    [InlineData(CertificateState.Waiting)]
    public async Task Start_BackupHasAnOrderOlderThanTheCertificate_KeepsTheCertificate(CertificateState state)
    {
        await using var fixture = await LocalFixture.StartAsync();
        StoredOrder order;
        string served;
        await using (var before = await fixture.ServeAsync(fixture.Settings(Name), QuickIssuance.Apply, _storage))
        {
            order = await OrderOfCertificateAsync();
            served = (await before.Certificates.RenewAsync(Name, Cancelled)).SerialNumber!;
            await before.StopAsync(Cancelled);
        }

        var backup = new CertificateStateRecord { State = state, Since = order.At, StoredOrder = order };
        await _storage.WriteAsync(StorageLayout.State(Name), StateFile.Encode(backup), cancellationToken: Cancelled);
        await using var app = await fixture.ServeAsync(fixture.Settings(Name), QuickIssuance.Apply, _storage);

        Assert.Equal(served, app.Certificates.Find(Name)!.SerialNumber);
        Assert.Equal(served, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Follow_BackupHasAnOlderCertificate_TheNewerOneIsStoredAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings(Name), QuickIssuance.Apply, _storage);
        var served = app.Certificates.Find(Name)!.SerialNumber;

        await StoredCertificates.WriteAsync(_storage, Name, null, Name);

        await Poll.UntilAsync(
            async _ => CertificateSnapshot.Read(await ReadAsync()).SerialNumber == served,
            () => $"the newer certificate in the store\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(served, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.Single(fixture.Authority.Issued);
    }

    private async Task<StoredOrder> OrderOfCertificateAsync()
    {
        var record = await ReadAsync();
        return new StoredOrder
        {
            Names = record.Metadata.Names,
            KeyAlgorithm = record.Metadata.KeyAlgorithm,
            PrivateKey = record.PrivateKey.ToArray(),
            DirectoryUrl = record.Metadata.DirectoryUrl,
            AccountUrl = record.Metadata.AccountUrl,
            At = Now.AddHours(-3),
            OrderUrl = new Uri(record.Metadata.OrderUrl!),
        };
    }

    private async Task<CertificateRecord> ReadAsync()
        => CertificateFile.Decode((await _storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled))!.Value.Span, new SharedParts());
}
