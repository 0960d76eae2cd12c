using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>An earlier process submitted a challenge, and ended before it knew the result.</summary>
public sealed class EarlierPostTests
{
    private static readonly Uri OrderUrl = new("https://ca.test/order");

    private readonly FakeTimeProvider _time = new();
    private readonly GatedHandler _handler = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(30, 0)]
    [InlineData(90, 1)]
    [InlineData(-600, 1)]
    public async Task Run_PostedSomeSecondsAgo_IsPostedAgainOnlyAfterAMinute(int secondsAgo, int posts)
    {
        var account = new PendingAccount(_handler.ChallengeType);

        var running = RunAsync(account, _time.GetUtcNow().AddSeconds(-secondsAgo));
        await Poll.UntilAsync(() => _handler.UnderWay == 1, "the challenge to be prepared", cancellationToken: Cancelled);
        await _handler.FinishAsync();
        await running;

        Assert.Equal(posts, account.Posts);
    }

    private async Task RunAsync(PendingAccount account, DateTimeOffset postedAt)
    {
        var storage = new InMemoryStorage(_time);
        var specification = SampleSpecification();
        var certificate = new ManagedCertificate(specification) { State = new CertificateStateRecord { StoredOrder = Pending(postedAt) } };
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            IsPublic = false,
        };
        await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, _time, Cancelled);
        var context = new OrderContext
        {
            Certificate = certificate,
            Specification = specification,
            Authority = new CertificateAuthority(new DirectoryOnlyClient(authority, []), accounts: null!),
            TermsAccepted = true,
            Writer = writer,
            Stopping = CancellationToken.None,
        };
        var order = new Order { Url = OrderUrl, AuthorizationUrls = [PendingAccount.Url(0)] };
        await new AuthorizationFlow(
            new ChallengeHandlers([_handler]),
            SampleTurns.Create(storage, _time),
            new ChallengeValidation(
                SampleStateWriters.Progress(_time), new IssuanceSettings(), _time, NullLogger<ChallengeValidation>.Instance),
            _time,
            NullLogger<AuthorizationFlow>.Instance).RunAsync(context, account, order, Cancelled);
    }

    private CertificateSpecification SampleSpecification()
        => new()
        {
            Id = "n0.test",
            Identifiers = [new(IdentifierKind.Dns, "n0.test")],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = [_handler.ChallengeType],
        };

    private static StoredOrder Pending(DateTimeOffset postedAt) => new()
    {
        Names = ["n0.test"],
        KeyAlgorithm = "EcdsaP256",
        PrivateKey = [1],
        DirectoryUrl = new Uri("https://ca.test/dir"),
        AccountUrl = new Uri("https://ca.test/account"),
        At = postedAt,
        OrderUrl = OrderUrl,
        PostedAt = postedAt,
    };
}
