using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>An account whose authorizations are pending, with one challenge each, and become valid.</summary>
internal sealed class PendingAccount(string challengeType) : IAuthorityAccount
{
    Uri IAuthorityAccount.Url { get; } = new("https://ca.test/account");

    private int _posts;
    private int _waits;

    /// <summary>How often a challenge was submitted.</summary>
    public int Posts => Volatile.Read(ref _posts);

    /// <summary>How often a result was waited for.</summary>
    public int Waits => Volatile.Read(ref _waits);

    /// <summary>Ends when the CA has validated.</summary>
    public Task Validation { get; init; } = Task.CompletedTask;

    public AccountKey Key { get; } = AccountKey.Generate();

    public static Uri Url(int index) => new($"https://ca.test/authorization/n{index}.test");

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => Task.FromResult(Make(authorizationUrl, AuthorizationStatus.Pending));

    public async Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waits);
        await Validation.WaitAsync(cancellationToken);
        return Make(authorizationUrl, AuthorizationStatus.Valid);
    }

    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _posts);
        return Task.FromResult(new Challenge { Url = challengeUrl, Type = challengeType });
    }

    public Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken)
        => Task.FromResult(new Order { Url = orderUrl, Status = OrderStatus.Processing });

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
        Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    private Authorization Make(Uri url, AuthorizationStatus status) => new()
    {
        Url = url,
        Status = status,
        Identifier = AcmeIdentifier.Dns(url.Segments[^1]),
        Challenges =
        [
            new Challenge
            {
                Url = new Uri(url, $"/challenge/{url.Segments[^1]}"),
                Type = challengeType,
                Status = ChallengeStatus.Pending,
            },
        ],
    };
}
