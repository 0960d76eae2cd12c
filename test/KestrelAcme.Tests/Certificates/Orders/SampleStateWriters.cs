using System.Diagnostics.Metrics;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>Opens the state of a certificate for writing, as an attempt does.</summary>
internal static class SampleStateWriters
{
    public static async Task<CertificateStateWriter> OpenAsync(
        ManagedCertificate certificate, IAcmeStorage storage, TimeProvider time, CancellationToken cancellationToken)
    {
        var bounded = BoundedFixture.Around(storage);
        var leases = new CertificateLeases(
            new CertificateStore(bounded, NullLogger<CertificateStore>.Instance),
            new StoreSentinel(bounded, new IssuanceSettings(), time, NullLogger<StoreSentinel>.Instance),
            Progress(time),
            new IssuanceSettings(),
            time,
            NullLogger<CertificateLeases>.Instance);
        return await leases.TryOpenAsync(certificate, cancellationToken) ?? throw new InvalidOperationException("The lease is free.");
    }

    public static OrderProgress Progress(TimeProvider time)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var events = new CertificateEventHub(static () => [], time, NullLogger<CertificateEventHub>.Instance);
        return new OrderProgress(events, new AcmeHttpsMetrics(meters, time), time, NullLogger<OrderProgress>.Instance);
    }
}
