using System.Text.Json.Nodes;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Tests.FaultMatrix;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Orders that a CA neither finishes nor ends, and orders that it cannot be asked about for a while.</summary>
public sealed class StuckOrderTests
{
    private const string Name = "app.test";
    private static readonly Fault Broken = Fault.Problem("serverInternal", 500, "Not now.");
    private static readonly Fault Blocked = Fault.Rewrite(_ => "<h1>Blocked</h1>", 403, "text/html");

    private readonly InMemoryStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_OrderIsProcessingForever_AnotherOneAfterADayAndNotSooner()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var orders = Orders(fixture);
        string? stuck = null;
        var stay = Fault.Rewrite(body =>
        {
            var order = JsonNode.Parse(body)!.AsObject();
            stuck ??= (string?)order["finalize"];
            if ((string?)order["finalize"] == stuck)
            {
                order["status"] = "processing";
                order.Remove("certificate");
            }

            return order.ToJsonString();
        });
        fixture.Authority.Faults.Inject(ResourceKind.Order, stay, int.MaxValue);
        for (var i = 0; i < 2; i++)
        {
            var failure = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
            Assert.Contains("still processing", failure.Message, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(orders + 1, Orders(fixture));
        await AgeOrderAsync(app, TimeSpan.FromHours(25));

        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(orders + 2, Orders(fixture));
    }

    [Fact]
    public async Task Renew_CertificateIsNotToBeDownloaded_AnotherOrderAfterADayAndNotSooner()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var orders = Orders(fixture);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Broken, times: 9);
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
            FaultMatrixSettings.ForgetOutage(app);
        }

        Assert.Equal(orders + 1, Orders(fixture));
        await AgeOrderAsync(app, TimeSpan.FromHours(25));

        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(orders + 2, Orders(fixture));
    }

    /// <summary>A CA that is down, or hidden behind a page, has not lost the order: another one would be an order too many.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resume_AuthorityIsBrokenForLong_KeepsTheOrder(bool isPage)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var (orders, issued) = (Orders(fixture), fixture.Authority.Issued.Count);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Broken, times: 3);
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        foreach (var resource in new[] { ResourceKind.Order, ResourceKind.Account, ResourceKind.NewOrder })
        {
            fixture.Authority.Faults.Inject(resource, isPage ? Blocked : Broken, int.MaxValue);
        }

        for (var i = 0; i < 4; i++)
        {
            FaultMatrixSettings.ForgetOutage(app);
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        }

        fixture.Authority.Faults.Clear();
        FaultMatrixSettings.ForgetOutage(app);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(orders + 1, Orders(fixture));
        Assert.Equal(issued + 1, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Resume_AuthorityFailsForThisOrderAlone_AnotherOneAfterThreeAttempts()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var orders = Orders(fixture);
        fixture.Authority.Faults.Inject(ResourceKind.Order, Broken, times: 12);
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
            FaultMatrixSettings.ForgetOutage(app);
        }

        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(orders + 2, Orders(fixture));
    }

    private static int Orders(LocalFixture fixture)
        => fixture.Authority.Requests.Count(request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    private async Task<AcmeApp> ServeAsync(LocalFixture fixture)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:AllowEphemeralStorage"] = "true";
        var issuance = FaultMatrixSettings.Answering with { Polling = FaultMatrixSettings.Polling(TimeSpan.FromSeconds(5)) };
        var app = await fixture.StartAppAsync(
            settings, configure: builder => builder.Services.AddSingleton(issuance), storage: _storage);
        await FaultMatrixSettings.ObtainedAsync(app, Name, Cancelled);
        return app;
    }

    private async Task AgeOrderAsync(AcmeApp app, TimeSpan age)
    {
        var certificate = app.Services.GetRequiredService<CertificateCatalog>().Find(Name)!;
        var state = certificate.State;
        state = state with { StoredOrder = state.StoredOrder! with { At = state.StoredOrder.At - age } };
        certificate.State = state;
        await _storage.WriteAsync(StorageLayout.State(Name), StateFile.Encode(state), cancellationToken: Cancelled);
    }
}
