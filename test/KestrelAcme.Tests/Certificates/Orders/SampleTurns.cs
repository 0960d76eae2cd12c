using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>Creates the locks of one instance.</summary>
internal static class SampleTurns
{
    public static TlsAlpnNameLocks Create(IAcmeStorage storage, TimeProvider time)
        => new(
            new CertificateStore(BoundedFixture.Around(storage), NullLogger<CertificateStore>.Instance),
            new IssuanceSettings { LeasePoll = TimeSpan.FromMilliseconds(20) },
            time,
            NullLogger<TlsAlpnNameLocks>.Instance);

    /// <summary>The turns of an instance that knows of no other.</summary>
    public static OrderTurns Orders()
        => new(
            new Replicas(
                BoundedFixture.Around(new InMemoryStorage(TimeProvider.System)), TimeProvider.System, NullLogger<Replicas>.Instance),
            new IssuanceSettings());

    /// <summary>The only instance with its store: nothing is shared with others.</summary>
    public static ChallengeFeed Alone(IAcmeStorage storage, TimeProvider time)
        => new(
            [], new Replicas(BoundedFixture.Around(storage), time, NullLogger<Replicas>.Instance), BoundedFixture.Around(storage), time,
            NullLogger<ChallengeFeed>.Instance);
}
