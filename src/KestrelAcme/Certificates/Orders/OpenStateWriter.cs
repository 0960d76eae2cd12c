using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Orders;

/// <summary>A journal that is open; disposing it lets others have it.</summary>
internal sealed class OpenStateWriter(LeaseKeeper keeper, CertificateStateWriter journal) : IAsyncDisposable
{
    public CertificateStateWriter Journal => journal;

    public CancellationToken Lost => keeper.Lease.Lost;

    public string LeaseName => keeper.Lease.Name;

    public ValueTask DisposeAsync() => keeper.DisposeAsync();
}
