using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Certificates.Scheduling;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Xunit;

namespace KestrelAcme.Tests.Certificates.OnDemand;

/// <summary>Certificates on demand among those that are managed, and what is served for their names.</summary>
public sealed class OnDemandCatalogTests : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly TlsCertificateTable _table;
    private readonly CertificateCatalog _catalog;

    public OnDemandCatalogTests()
    {
        _services = new ServiceCollection().AddLogging().AddKestrelTls().AddSingleton<IHostEnvironment>(new HostingEnvironment())
            .BuildServiceProvider();
        _table = _services.GetRequiredService<TlsCertificateTable>();
        _catalog = new CertificateCatalog(_table);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Apply_NameOfAGroup_EndsTheGroupAndServesThatNameUntilItHasItsOwn()
    {
        Apply("app.test");
        var group = AddServed("shop.test", "later.test");

        var (added, removed) = Apply("app.test", "later.test");

        Assert.Equal(["later.test"], added.Select(c => c.Id));
        Assert.Equal([group.Id], removed);
        Assert.DoesNotContain(group, _catalog.All);
        Assert.Null(Served("shop.test"));
        Assert.Null(_table.Managed.Find("shop.test"));
        Assert.Equal("later.test", _table.Managed.Find("later.test"));
        Assert.Equal(group.Id, Served("later.test"));

        _catalog.Serve(added[0], Sample("later.test"));
        Assert.Equal("later.test", Served("later.test"));
    }

    [Fact]
    public void Serve_OrderOfAGroupThatEnded_ServesNothing()
    {
        Apply("app.test");
        var group = Add(Specify("shop.test", "later.test"))[0];
        _catalog.Release(group);
        Apply("app.test", "later.test");

        _catalog.Serve(group, Sample("shop.test", "later.test"));

        Assert.Null(Served("shop.test"));
        Assert.Null(Served("later.test"));
    }

    [Fact]
    public void AddOnDemand_GroupThatEndedBefore_WaitsForItsPermission()
    {
        Apply("app.test");
        var group = AddServed("shop.test", "later.test");
        Apply("app.test", "later.test");
        Apply("app.test");

        var again = Add(Specify("shop.test", "later.test"))[0];

        Assert.Same(group, again);
        Assert.Null(Served("shop.test"));
        Assert.Null(Served("later.test"));
        _catalog.Release(again);
        Assert.Equal(group.Id, Served("shop.test"));
        Assert.Equal(group.Id, Served("later.test"));
    }

    [Fact]
    public void Apply_NameOnDemandIsConfigured_StaysServed()
    {
        Apply("app.test");
        var before = AddServed("shop.test");

        Apply("app.test", "shop.test");
        Assert.Same(before, Assert.Single(_catalog.All, c => c.Id == "shop.test"));
        Assert.Equal("shop.test", Served("shop.test"));
        Assert.Equal("shop.test", _table.Managed.Find("shop.test"));

        Apply("app.test");
        Assert.Null(_table.Managed.Find("shop.test"));
        Assert.Equal(["app.test"], _catalog.All.Select(c => c.Id));
    }

    [Fact]
    public void RemoveOnDemand_OneOfTwoKinds_TheNameStaysManaged()
    {
        Apply("app.test");
        var wildcard = Specify("*.shop.test");
        Add(wildcard, wildcard with { Id = "rsa" }, Specify("192.0.2.1"));

        Assert.Equal(["rsa"], _catalog.RemoveOnDemand(["rsa", "app.test", "unknown.test"]));
        Assert.Equal("*.shop.test", _table.Managed.Find("any.shop.test"));
        Assert.Equal("192.0.2.1", _table.Managed.Find(System.Net.IPAddress.Loopback));
        Assert.Equal(3, _table.Managed.Count);

        Assert.Equal(2, _catalog.RemoveOnDemand([wildcard.Id, Specify("192.0.2.1").Id]).Count);
        Assert.Null(_table.Managed.Find("any.shop.test"));
        Assert.Null(_table.Managed.Find(System.Net.IPAddress.Loopback));
        Assert.Equal(["app.test"], _catalog.All.Select(c => c.Id));
    }

    // With a copy of the names, one more would take a megabyte.
    [Fact]
    public void AddOnDemand_AmongTwentyThousand_CopiesNone()
    {
        Apply("app.test");
        Add([.. Enumerable.Range(0, 20_000).Select(i => Specify($"n{i}.test"))]);
        CertificateSpecification[] next = [.. Enumerable.Range(0, 100).Select(i => Specify($"next{i}.test"))];

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var specification in next)
        {
            Add(specification);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(20_101, _catalog.All.Count);
        Assert.True(allocated < 1_000_000, $"{allocated:N0} bytes for {next.Length} names");
    }

    private (IReadOnlyList<ManagedCertificate> Added, IReadOnlyList<string> Removed) Apply(params string[] names)
        => _catalog.Apply([.. names.Select(SampleCertificates.Specification)], SampleCertificates.Configuration);

    private IReadOnlyList<ManagedCertificate> Add(params CertificateSpecification[] some)
        => _catalog.AddOnDemand(some, static (_, _) => Task.FromResult<DateTimeOffset?>(null), SampleCertificates.Configuration);

    private ManagedCertificate AddServed(params string[] names)
    {
        var certificate = Add(Specify(names))[0];
        _catalog.ServeStored([new FoundCertificate(certificate, Sample(names))]);
        Assert.Null(Served(names[0]));
        _catalog.Release(certificate);
        Assert.All(names, name => Assert.Equal(certificate.Id, Served(name)));
        return certificate;
    }

    private string? Served(string name) => _table.Find(name, KeyKinds.Ecdsa)?.Id;

    private static CertificateSnapshot Sample(params string[] names)
    {
        var now = TimeProvider.System.GetUtcNow();
        return SampleCertificates.Snapshot(names, now.AddDays(-1), now.AddDays(60));
    }

    private static CertificateSpecification Specify(params string[] names)
    {
        List<CertificateIdentifier> identifiers = [.. names.Select(n => new CertificateIdentifier(
            System.Net.IPAddress.TryParse(n, out _) ? IdentifierKind.Ip : IdentifierKind.Dns, n))];
        return SampleCertificates.Specification(names[0]) with
        {
            Id = CertificateId.Of(identifiers, KeyAlgorithm.EcdsaP256), Identifiers = [.. identifiers], IsOnDemand = true,
        };
    }
}
