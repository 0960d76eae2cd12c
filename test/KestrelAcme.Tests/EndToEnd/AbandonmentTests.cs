using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A certificate that expired long ago and whose name has left.</summary>
public sealed class AbandonmentTests : IAsyncLifetime
{
    private const string Name = "app.test";

    // The clock is looked at often, and a lease lasts through the leaps that it makes.
    private static readonly IssuanceSettings Settings = new()
    {
        LongestSleep = TimeSpan.FromMilliseconds(20),
        LeaseDuration = TimeSpan.FromDays(1),
    };

    private readonly ShiftedTimeProvider _time = new();
    private readonly FixedPlaces _places = new();
    private LocalFixture _fixture = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private int Orders => _fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    public async ValueTask InitializeAsync()
    {
        _fixture = await LocalFixture.StartAsync(options =>
        {
            options.TimeProvider = _time;
            options.Validity = TimeSpan.FromDays(1);
        });
        await using (var first = await StartAsync())
        {
            await PassAsync(first, TimeSpan.Zero, () => first.Certificates.Find(Name)!.State == CertificateState.Valid);
            await first.StopAsync(Cancelled);
        }

        _time.Ahead += TimeSpan.FromDays(40);
        _fixture.Authority.Faults.FailValidation(Name);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Renew_ExpiredLongAgoAndGone_OrdersNoMoreUntilTheNameIsBack()
    {
        string served;
        await using (var app = await StartAsync())
        {
            await AbandonedAsync(app);
            var orders = Orders;
            var looks = _places.Looks;
            await PassAsync(app, TimeSpan.FromDays(3.5), () => _places.Looks >= looks + 3);

            Assert.Equal(orders, Orders);
            Assert.InRange(_places.Looks, looks + 3, looks + 4);
            Assert.Null(app.Certificates.Find(Name)!.NextOrder);
            served = (await app.ConnectAsync(Name, Cancelled)).SerialNumber;
            Assert.Equal(app.Certificates.Find(Name)!.SerialNumber, served);
            await app.StopAsync(Cancelled);
        }

        await using var restarted = await StartAsync();
        Assert.Equal(CertificateState.Abandoned, restarted.Certificates.Find(Name)!.State);
        Assert.Equal(served, (await restarted.ConnectAsync(Name, Cancelled)).SerialNumber);

        _places.Place = NameRoute.Undecided;
        _fixture.Authority.Faults.Clear();
        await PassAsync(restarted, TimeSpan.FromDays(1.5), () => restarted.Certificates.Find(Name)!.State == CertificateState.Valid);
        Assert.True(restarted.Log.Has("AbandonedNameIsBack"));
        Assert.NotEqual(served, (await restarted.ConnectAsync(Name, Cancelled)).SerialNumber);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ask_Abandoned_IsOrderedAtOnce(bool obtain)
    {
        await using var app = await StartAsync();
        await AbandonedAsync(app);
        _fixture.Authority.Faults.Clear();

        var status = obtain ? await app.Certificates.ObtainAsync(Name, Cancelled) : await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(CertificateState.Valid, status.State);
        Assert.True(status.NotAfter > _time.GetUtcNow());
    }

    [Fact]
    public async Task Start_SettingsChanged_IsOrderedAgain()
    {
        await using (var app = await StartAsync())
        {
            await AbandonedAsync(app);
            await app.StopAsync(Cancelled);
        }

        _fixture.Authority.Faults.Clear();
        await using var changed = await StartAsync(s => s["AcmeHttps:EmailAddress"] = "other@example.com");
        await changed.ObtainedAsync(Name);
    }

    [Theory]
    [InlineData(NameRoute.Unknown)]
    [InlineData(NameRoute.Undecided)]
    [InlineData(NameRoute.Here)]
    public async Task Renew_NotKnownToBeAway_IsTriedOn(object place)
    {
        _places.Place = (NameRoute)place;
        await using var app = await StartAsync();
        var orders = Orders;

        await PassAsync(app, TimeSpan.FromDays(3), () => Orders >= orders + 3);

        Assert.False(app.Log.Has("CertificateAbandoned"));
    }

    private async Task<AcmeApp> StartAsync(Action<Dictionary<string, string?>>? change = null)
    {
        var settings = _fixture.Settings(Name);
        change?.Invoke(settings);
        return await _fixture.StartAppAsync(settings, configure: builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddSingleton(Settings);
            builder.Services.AddSingleton<INameRouting>(_places);
        });
    }

    private Task AbandonedAsync(AcmeApp app)
        => PassAsync(app, TimeSpan.FromDays(1), () => app.Certificates.Find(Name)!.State == CertificateState.Abandoned);

    /// <summary>Lets time pass until something holds, but not during an order, whose leases would end in its middle.</summary>
    private async Task PassAsync(AcmeApp app, TimeSpan limit, Func<bool> condition)
    {
        var end = _time.GetUtcNow() + limit;
        await Poll.UntilAsync(
            () =>
            {
                if (_time.GetUtcNow() < end
                    && app.Certificates.Find(Name)!.State is not (CertificateState.Ordering or CertificateState.Renewing))
                {
                    _time.Ahead += TimeSpan.FromMinutes(10);
                }

                return condition();
            },
            () => $"what was to happen within {limit}\n{app.Log}",
            cancellationToken: Cancelled);
    }

    private sealed class FixedPlaces : INameRouting
    {
        private int _looks;

        public NameRoute Place { get; set; } = NameRoute.Gone;

        public int Looks => Volatile.Read(ref _looks);

        public Task<NameRoute> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _looks);
            return Task.FromResult(Place);
        }

        public Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
            => Task.FromResult<IReadOnlyList<NameAddresses>>([]);
    }
}
