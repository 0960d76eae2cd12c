using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class CertificateStateWriterTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Finish_LeaseLost_IsNoFailure(bool stored)
    {
        var storage = new InMemoryStorage();
        var certificate = new ManagedCertificate(SampleCertificates.Specification("a.test"));
        await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, Cancelled);
        await writer.Lease.DisposeAsync();
        var now = TimeProvider.System.GetUtcNow();

        await (stored ? writer.FinishAsync(now, Cancelled) : writer.FinishUnsavedAsync(now, Cancelled));

        Assert.Equal(CertificateState.Valid, certificate.State.State);
        Assert.Null(await storage.ReadAsync(StorageLayout.State("a.test"), Cancelled));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(RevocationReason.KeyCompromise)]
    public async Task RequirePending_OrderIsGone_SaysWhetherAKeyWasRevoked(RevocationReason? reason)
    {
        var storage = new InMemoryStorage();
        var certificate = new ManagedCertificate(SampleCertificates.Specification("a.test"))
        {
            State = CertificateStateRecord.Empty with
            {
                Revocation = reason is null ? null : new RevocationRecord("01", TimeProvider.System.GetUtcNow(), OnPurpose: true, reason),
            },
        };
        await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, Cancelled);

        var exception = Assert.ThrowsAny<Exception>(writer.RequirePending);

        Assert.Equal(reason is not null, exception.Message.Contains("compromised", StringComparison.Ordinal));
        Assert.Equal(reason is null, exception.Message.Contains("Another instance", StringComparison.Ordinal));
    }
}
