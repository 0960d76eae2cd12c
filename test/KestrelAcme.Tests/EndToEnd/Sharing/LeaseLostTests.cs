using KestrelAcme.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>A lease that ends in the middle of an order, as in a process that stood still.</summary>
public sealed class LeaseLostTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_LeaseEndsAtAWrite_GoesOnWithTheSameOrderAndNothingFailed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var writes = 0;
        var storage = new FailingStorage(new InMemoryStorage())
        {
            // After the URL of the order was stored.
            Unwritable = key => key.StartsWith("states/", StringComparison.Ordinal) && ++writes == 4,
            Failure = _ => new LeaseLostException("orders/example"),
        };

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);
        await app.ObtainedAsync(Name);

        Assert.True(writes > 4, $"{writes} writes");
        Assert.Equal(CertificateState.Valid, app.Certificates.Find(Name)?.State);
        Assert.Single(fixture.Authority.Issued);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: LocalAuthority.Requests.ResourceKind.NewOrder, StatusCode: 201 });
        Assert.True(app.Log.Has("OrderLeaseLost"), app.Log.ToString());
        Assert.False(app.Log.Has("CertificateFailed"), app.Log.ToString());
    }

    [Fact]
    public async Task Order_LeaseEndsAgainAndAgain_IsAFailureWithItsDelay()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new FailingStorage(new InMemoryStorage())
        {
            Unwritable = key => key.StartsWith("states/", StringComparison.Ordinal),
            Failure = _ => new LeaseLostException("orders/example"),
        };

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);
        await Poll.UntilAsync(() => app.Log.Has("CertificateFailed"), () => $"a failure\n{app.Log}", cancellationToken: Cancelled);

        Assert.True(app.Log.Has("OrderLeaseLost"), app.Log.ToString());
        Assert.Empty(fixture.Authority.Issued);
    }
}
