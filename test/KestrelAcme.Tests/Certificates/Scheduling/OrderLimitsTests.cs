using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Certificates.Orders;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>The limits of an order, which depend on the certificates that share its names, and on no others.</summary>
public sealed class OrderLimitsTests
{
    private static readonly AuthoritySpecification Ca = new()
    {
        Id = "ca",
        DisplayName = "A CA",
        DirectoryUrl = new Uri("https://ca.test/dir"),
        IsPublic = true,
    };

    private readonly CertificateCatalog _catalog = new(new RecordingPublisher());

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void ThrowIfReached_TenThousandCertificates_LooksAtOneForEachOrder()
    {
        var names = Enumerable.Range(0, 10_000).Select(i => $"n{i}.test").ToList();
        _catalog.Apply([.. names.Select(name => Specify(name))], SampleCertificates.Configuration);
        var limits = new OrderLimits(_catalog, null!, TimeProvider.System);
        var all = _catalog.All.ToList();
        Order(all[0]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        all.ForEach(Order);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // To look at a certificate takes two enumerators or so, and 30,000 checks by 10,000 certificates would be gigabytes of them.
        Assert.InRange(allocated / all.Count, 1, 8192);
        Assert.Equal(all.Count, all.Sum(c => _catalog.All.FindSharing(c).Count));

        void Order(ManagedCertificate certificate)
        {
            limits.ThrowIfReached(certificate, Ca);
            limits.ThrowIfTooManyFailed(certificate, Ca);
            Assert.False(limits.IsTaken(certificate, Ca.DirectoryUrl));
        }
    }

    /// <summary>An operator who tried the staging service out is not kept from the CA itself for a week.</summary>
    [Fact]
    public async Task ThrowIfReached_CertificatesOfAnotherAuthority_DoNotCount()
    {
        var (storage, now) = (new InMemoryStorage(), TimeProvider.System.GetUtcNow());
        var certificate = _catalog.Apply([SampleCertificates.Specification("a.test")], SampleCertificates.Configuration).Added[0];
        var limits = new OrderLimits(_catalog, null!, TimeProvider.System);
        var staging = Ca with { Id = "staging", DirectoryUrl = new Uri("https://staging.ca.test/dir") };
        for (var i = 0; i < ExactSetPolicy.MostInAWeek; i++)
        {
            await ObtainAsync(staging, i);
        }

        limits.ThrowIfReached(certificate, Ca);
        Assert.Throws<ExactSetLimitException>(() => limits.ThrowIfReached(certificate, staging));

        // So it is after a restart, and after a certificate of the CA itself.
        await ObtainAsync(Ca, 10);
        var stored = await storage.ReadAsync(StorageLayout.State("a.test"), Cancelled);
        certificate.State = StateFile.Decode(stored!.Value.Span);
        limits.ThrowIfReached(certificate, Ca);
        Assert.Throws<ExactSetLimitException>(() => limits.ThrowIfReached(certificate, staging));

        async Task ObtainAsync(AuthoritySpecification authority, int number)
        {
            await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, Cancelled);
            await writer.StoreIntentAsync(
                new StoredOrder
                {
                    Names = ["a.test"],
                    KeyAlgorithm = "EcdsaP256",
                    PrivateKey = CertificateKeys.Generate(KeyAlgorithm.EcdsaP256),
                    DirectoryUrl = authority.DirectoryUrl,
                    AccountUrl = new Uri(authority.DirectoryUrl, "/account/1"),
                    At = now,
                },
                Cancelled);
            await writer.StoreOrderUrlAsync(new Uri(authority.DirectoryUrl, $"/order/{number}"), null, Cancelled);
            await writer.StoreCertificateUrlAsync(new Uri(authority.DirectoryUrl, $"/certificate/{number}"), now, Cancelled);
            await writer.FinishAsync(now, Cancelled);
        }
    }

    [Fact]
    public void FindSharing_CertificatesComeAndGo_FindsWhatASearchFinds()
    {
        var random = new Random(1);
        for (var round = 0; round < 60; round++)
        {
            if (round % 3 == 0)
            {
                var wanted = Enumerable.Range(0, 12).Select(_ => Specify(NamesFrom(random))).DistinctBy(s => s.Id);
                _catalog.Apply([.. wanted], SampleCertificates.Configuration);
            }
            else
            {
                _catalog.AddOnDemand(
                    [Specify(NamesFrom(random)) with { IsOnDemand = true }],
                    static (_, _) => Task.FromResult<DateTimeOffset?>(null),
                    SampleCertificates.Configuration);
                _catalog.RemoveOnDemand([.. _catalog.All.Where(_ => random.Next(8) == 0).Select(c => c.Id)]);
            }

            foreach (var certificate in _catalog.All)
            {
                Assert.Equal(
                    _catalog.All.Where(c => SharesName(c, certificate)).Select(c => c.Id).Order(StringComparer.Ordinal),
                    _catalog.All.FindSharing(certificate).Select(c => c.Id).Order(StringComparer.Ordinal));
            }
        }
    }

    private static string[] NamesFrom(Random random)
        => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{(random.Next(3) == 0 ? "*." : "")}n{random.Next(9)}.test").Distinct()];

    private static CertificateSpecification Specify(params string[] names)
    {
        CertificateIdentifier[] identifiers = [.. names.Select(name => new CertificateIdentifier(IdentifierKind.Dns, name))];
        return SampleCertificates.Specification(names[0]) with
        {
            Id = CertificateId.Of(identifiers, KeyAlgorithm.EcdsaP256),
            Identifiers = [.. identifiers],
        };
    }

    private static bool SharesName(ManagedCertificate one, ManagedCertificate other)
        => one.Specification.Identifiers.Any(i => other.Specification.Identifiers.Any(o => o.BaseValue == i.BaseValue));
}
