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

    /// <summary>A revocation is noted beside an order that is under way: neither may undo the other.</summary>
    [Fact]
    public void ChangeUnstored_ChangedMeanwhile_BothChangesAreKept()
    {
        var certificate = new ManagedCertificate(SampleCertificates.Specification("a.test"));
        var isFirst = true;

        CertificateStateWriter.ChangeUnstored(certificate, state =>
        {
            if (isFirst)
            {
                isFirst = false;
                CertificateStateWriter.ChangeUnstored(certificate, static other => other with { CutOff = true });
            }

            return state with { Rehearse = true };
        });

        Assert.True(certificate.State is { CutOff: true, Rehearse: true }, $"{certificate.State}");
    }

    [Fact]
    public async Task Change_ChangedMeanwhile_BothChangesAreStored()
    {
        var storage = new InMemoryStorage();
        var certificate = new ManagedCertificate(SampleCertificates.Specification("a.test"));
        await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, Cancelled);
        var isFirst = true;

        await writer.ChangeAsync(
            state =>
            {
                if (isFirst)
                {
                    isFirst = false;
                    CertificateStateWriter.ChangeUnstored(certificate, static other => other with { CutOff = true });
                }

                return state with { Rehearse = true };
            },
            Cancelled);

        var value = await storage.ReadAsync(StorageLayout.State("a.test"), Cancelled);
        Assert.True(StateFile.Decode(value!.Value.Span) is { CutOff: true, Rehearse: true }, $"{certificate.State}");
    }

    [Theory]
    [InlineData("01", false)]
    [InlineData(null, true)]
    public async Task Finish_CertificateRevoked_IsKeptIfItIsTheNewOne(string? serialNumber, bool isKept)
    {
        var now = TimeProvider.System.GetUtcNow();
        var certificate = new ManagedCertificate(SampleCertificates.Specification("a.test"))
        {
            Current = SampleCertificates.Snapshot("a.test", now.AddDays(-1), now.AddDays(89)),
        };
        await using var writer = await SampleStateWriters.OpenAsync(certificate, new InMemoryStorage(), TimeProvider.System, Cancelled);
        var revocation = new RevocationRecord(serialNumber ?? certificate.Current.SerialNumber, now, OnPurpose: true, Reason: null);
        CertificateStateWriter.ChangeUnstored(certificate, state => state with { Revocation = revocation });

        await writer.FinishAsync(now, Cancelled);

        Assert.Equal(isKept ? revocation : null, certificate.State.Revocation);
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
