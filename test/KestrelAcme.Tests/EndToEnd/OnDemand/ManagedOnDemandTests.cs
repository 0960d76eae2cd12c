using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>
/// The moment at which a name begins or ceases to be managed. A client that comes then waits for its certificate, or is told that there is
/// none, and does not get the placeholder of a name that somebody configured.
/// </summary>
public sealed class ManagedOnDemandTests : IAsyncDisposable
{
    private readonly WatchedPublisher _watched = new();
    private AcmeApp? _app;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private AcmeApp App => _app!;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    [Fact]
    public async Task TakeUp_NewName_IsOnDemandAsSoonAsItIsManaged()
    {
        await StartAsync();

        TakeUp(new OnDemandRecord { Name = "shop.test" });

        Assert.Equal([("shop.test", IsManaged: true, OnDemand: "always", IsKnown: true)], _watched.Changes);
    }

    [Fact]
    public async Task TakeUp_OtherSettings_IsOnDemandAllTheTime()
    {
        await StartAsync();
        TakeUp(new OnDemandRecord { Name = "shop.test" });
        _watched.Changes.Clear();

        TakeUp(new OnDemandRecord { Name = "shop.test", Names = ["shop.test", "www.shop.test"] });

        Assert.Equal(
            [
                ("shop.test", IsManaged: false, OnDemand: "always", IsKnown: true),
                ("shop.test", IsManaged: true, OnDemand: "always", IsKnown: true),
                ("www.shop.test", IsManaged: true, OnDemand: "always", IsKnown: true),
            ],
            _watched.Changes);
    }

    [Fact]
    public async Task Drop_Name_IsOnDemandUntilItIsNoLongerManaged()
    {
        await StartAsync();
        var name = TakeUp(new OnDemandRecord { Name = "shop.test" });
        _watched.Changes.Clear();

        App.Services.GetRequiredService<OnDemandCertificates>().Drop(name);

        Assert.Equal([("shop.test", IsManaged: false, OnDemand: "always", IsKnown: false)], _watched.Changes);
    }

    [Fact]
    public async Task Apply_NameOnDemandIsConfigured_IsNeverTakenForOneOnDemand()
    {
        await StartAsync();
        TakeUp(new OnDemandRecord { Name = "shop.test" });
        _watched.Changes.Clear();
        var snapshot = App.Services.GetRequiredService<ConfigurationSource>().Current;
        var catalog = App.Services.GetRequiredService<CertificateCatalog>();

        catalog.Apply([OnDemandSpecifications.Create(new OnDemandRecord { Name = "shop.test" }, snapshot).Certificates[0]], snapshot);

        Assert.NotEmpty(_watched.Changes);
        Assert.All(_watched.Changes, static change => Assert.Equal("never", change.OnDemand));
    }

    private OnDemandName TakeUp(OnDemandRecord record)
        => App.Services.GetRequiredService<OnDemandIssuance>().TakeUp(record, Cancelled).Name!;

    private async Task StartAsync()
    {
        var permission = TestPermission.AllowAll();
        _app = await AcmeApp.StartAsync(
            new Dictionary<string, string?>
            {
                ["AcmeHttps:AcceptTermsOfService"] = "true",
                ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/",
                ["AcmeHttps:Issuance"] = "ServeOnly",
                ["AcmeHttps:StoragePath"] = "memory",
            },
            acme: builder => builder.AddOnDemand(permission.AskAsync),
            configure: builder => builder.Services.AddSingleton<ITlsPublisher>(_watched),
            storage: new InMemoryStorage(TimeProvider.System),
            cancellationToken: Cancelled);
        _watched.Begin(_app.Services);
    }

    /// <summary>Publishes nothing, and notes what a client would find at each change of the managed names.</summary>
    private sealed class WatchedPublisher : ITlsPublisher
    {
        private IServiceProvider? _services;

        public ConcurrentQueue<(string Name, bool IsManaged, string OnDemand, bool IsKnown)> Changes { get; } = [];

        public void Begin(IServiceProvider services) => _services = services;

        public void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null)
        {
            foreach (var name in names)
            {
                Note(name, isManaged: true);
            }
        }

        public void SetOnDemand(string id, IEnumerable<string> names, bool isManaged)
        {
            foreach (var name in names)
            {
                Note(name, isManaged);
            }
        }

        public IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials)
            => new Dictionary<string, string>();

        public void Publish(CertificateMaterial material)
        {
        }

        public void SetRetired(string id, bool isRetired)
        {
        }

        public void Withdraw(string id)
        {
        }

        public void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate)
        {
        }

        public void WithdrawChallenge(string serverName, string challenge)
        {
        }

        private void Note(string name, bool isManaged)
        {
            if (_services is not null)
            {
                // Before the change and after it.
                var gate = _services.GetRequiredService<OnDemandGate>();
                var onDemand = (gate.Concerns(name, name), gate.Concerns(name, managed: null)) switch
                {
                    (true, true) => "always",
                    (false, false) => "never",
                    _ => "at one moment",
                };
                Changes.Enqueue((name, isManaged, onDemand, _services.GetRequiredService<OnDemandNames>().Find(name) is not null));
            }
        }
    }
}
