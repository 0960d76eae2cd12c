using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class OrderResumptionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly Uri OnAnotherHost = new("https://orders.ca.test/order/1");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>RFC 8555 lets a CA keep its orders on any host. An order too many with each attempt would never end.</summary>
    [Fact]
    public async Task ResumeAsync_PlacedByThisProcessOnAnotherHost_IsResumed()
    {
        var order = await ResumeAsync(placed: OnAnotherHost);

        Assert.Equal(OnAnotherHost, order?.Url);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://orders.ca.test/order/2")]
    public async Task ResumeAsync_FoundInTheStoreOnAnotherHost_IsNotRequested(string? placed)
        => Assert.Null(await ResumeAsync(placed is null ? null : new Uri(placed)));

    private static async Task<Order?> ResumeAsync(Uri? placed)
    {
        var specification = new CertificateSpecification
        {
            Id = "app.test",
            Identifiers = [new CertificateIdentifier(IdentifierKind.Dns, "app.test")],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = ["http-01"],
        };
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            IsPublic = false,
        };
        IAuthorityAccount account = new PendingAccount("http-01");
        var certificate = new ManagedCertificate(specification) { PlacedOrder = placed };
        await using var writer = await SampleStateWriters.OpenAsync(certificate, new InMemoryStorage(), TimeProvider.System, Cancelled);
        var context = new OrderContext
        {
            Certificate = certificate,
            Specification = specification,
            Authority = new CertificateAuthority(new DirectoryOnlyClient(authority, []), accounts: null!),
            TermsAccepted = true,
            Writer = writer,
            Stopping = CancellationToken.None,
        };
        await writer.StoreIntentAsync(StoredOrders.Intent(context, account.Url, Now), Cancelled);
        await writer.StoreOrderUrlAsync(OnAnotherHost, expires: null, Cancelled);

        return await OrderResumption.ResumeAsync(context, account, NullLogger.Instance, Now, Cancelled);
    }
}
