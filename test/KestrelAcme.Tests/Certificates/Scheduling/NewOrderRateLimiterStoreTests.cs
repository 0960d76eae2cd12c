using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class NewOrderRateLimiterStoreTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public NewOrderRateLimiterStoreTests() => _storage = new InMemoryStorage(_time);

    [Fact]
    public async Task Take_TwoInstances_ShareOneBurst()
    {
        var (one, _) = Instance();
        var (two, _) = Instance();
        var taken = 0;
        for (var i = 0; i < 60; i++)
        {
            taken += await one.TakeAsync(TestContext.Current.CancellationToken) is null ? 1 : 0;
            taken += await two.TakeAsync(TestContext.Current.CancellationToken) is null ? 1 : 0;
        }

        Assert.Equal(50, taken);
    }

    [Fact]
    public async Task Take_Restarted_GoesOnWhereItWas()
    {
        var (before, _) = Instance();
        for (var i = 0; i < 50; i++)
        {
            await before.TakeAsync(TestContext.Current.CancellationToken);
        }

        var (after, pace) = Instance();
        await after.LoadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(_time.GetUtcNow().AddSeconds(45), pace.TryStart(WorkLane.NewOrders, _time.GetUtcNow()));
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.Null(pace.TryStart(WorkLane.NewOrders, _time.GetUtcNow()));
        Assert.Null(await after.TakeAsync(TestContext.Current.CancellationToken));
        Assert.NotNull(await after.TakeAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void TryStart_ClockWentBack_FillsFromThenOn()
    {
        var (_, pace) = Instance();
        var now = _time.GetUtcNow();
        pace.NewSets = new TokenBucket(0, now.AddDays(400));

        Assert.Equal(now.AddSeconds(45), pace.TryStart(WorkLane.NewOrders, now));
        Assert.Null(pace.TryStart(WorkLane.NewOrders, now.AddSeconds(45)));
    }

    private (NewOrderRateLimiterStore Store, NewOrderRateLimiter Pace) Instance()
    {
        var authority = new AuthoritySpecification
        {
            Id = "public",
            DisplayName = "Public",
            DirectoryUrl = new Uri("https://ca.example/dir"),
            IsPublic = true,
        };
        var configuration = new ConfigurationSource(
            () => new ConfigurationSnapshot { StoragePath = "/", Authorities = [authority] }, NullLogger<ConfigurationSource>.Instance);
        var pace = new NewOrderRateLimiter(configuration, new IssuanceSettings());
        var store = new NewOrderRateLimiterStore(
            pace, BoundedFixture.Around(_storage), new IssuanceSettings(), _time, NullLogger<NewOrderRateLimiterStore>.Instance);
        return (store, pace);
    }
}
