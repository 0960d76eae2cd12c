using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class LostOrderTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Finishing an order costs nothing, so no limit applies to it. The order that takes its place is another one.</summary>
    [Fact]
    public async Task Renew_LeftOrderIsUnknownToTheAuthority_NextOneStaysWithinTheLimits()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:AllowEphemeralStorage"] = "true";
        await using var app = await fixture.ServeAsync(settings, QuickIssuance.Apply, storage);
        for (var i = 1; i < ExactSetPolicy.MostInAWeek; i++)
        {
            await app.Certificates.RenewAsync(Name, Cancelled);
        }

        var configuration = app.Services.GetRequiredService<ConfigurationSource>();
        configuration.Publish(
            configuration.Current with { Authorities = [.. configuration.Current.Authorities.Select(a => a with { IsPublic = true })] });
        await LeaveOrderAsync(app, storage);
        var orders = Orders(fixture);

        var failure = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));

        Assert.IsType<ExactSetLimitException>(failure.InnerException);
        Assert.Contains(app.Log.Lines, line => line.Event.Name == "OrderDropped");
        Assert.Equal(orders, Orders(fixture));
    }

    private static int Orders(LocalFixture fixture)
        => fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.NewOrder);

    private static async Task LeaveOrderAsync(AcmeApp app, InMemoryStorage storage)
    {
        var certificate = app.Services.GetRequiredService<CertificateCatalog>().Find(Name)!;
        var (metadata, key) = (certificate.Current!.Record.Metadata, certificate.Current.Record.PrivateKey);
        var state = certificate.State with
        {
            StoredOrder = new StoredOrder
            {
                Names = metadata.Names,
                KeyAlgorithm = metadata.KeyAlgorithm,
                PrivateKey = key.ToArray(),
                DirectoryUrl = metadata.DirectoryUrl,
                AccountUrl = metadata.AccountUrl,
                At = TimeProvider.System.GetUtcNow(),
                OrderUrl = new Uri(metadata.DirectoryUrl, "/order/unknown"),
            },
        };
        certificate.State = state;
        await storage.WriteAsync(StorageLayout.State(Name), StateFile.Encode(state), cancellationToken: Cancelled);
    }
}
