using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class AuthorizationFlowTests
{
    private const int Names = 20;

    private readonly GatedHandler _handler = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ManyNames_AFewArePreparedAtOnceAndAllBeforeAnyIsWaitedFor()
    {
        var running = Task.Run(() => RunAsync(Cancelled), Cancelled);
        for (var left = Names; left > 0; left--)
        {
            var expected = Math.Min(BoundedParallel.Maximum, left);
            await Poll.UntilAsync(() => _handler.UnderWay == expected, $"{expected} under way", cancellationToken: Cancelled);
            Assert.Empty(_handler.Awaited);
            await _handler.FinishAsync();
        }

        Assert.Equal(Names, await running);
        Assert.Equal(Names, _handler.Awaited.Count);
        AssertAllCleaned(Names);
    }

    [Fact]
    public async Task Run_OneFails_NoneIsBegunAnyMoreAndWhatWasBegunIsCleanedUpAfterwards()
    {
        var running = Task.Run(() => RunAsync(Cancelled), Cancelled);
        await Poll.UntilAsync(() => _handler.UnderWay == BoundedParallel.Maximum, "a few under way", cancellationToken: Cancelled);
        await _handler.FinishAsync("n3.test", new ChallengeException("n3.test: no."));
        for (var left = BoundedParallel.Maximum - 1; left > 0; left--)
        {
            Assert.False(running.IsCompleted);
            Assert.Empty(_handler.Cleaned);
            Assert.Equal(left, _handler.UnderWay);
            await _handler.FinishAsync();
        }

        var exception = await Assert.ThrowsAsync<ChallengeException>(() => running);

        Assert.Equal("n3.test: no.", exception.Message);
        Assert.Empty(_handler.Awaited);
        AssertAllCleaned(BoundedParallel.Maximum);
    }

    [Fact]
    public async Task Run_SeveralFail_TheFirstNameIsTold()
    {
        var running = Task.Run(() => RunAsync(Cancelled), Cancelled);
        await Poll.UntilAsync(() => _handler.UnderWay == BoundedParallel.Maximum, "a few under way", cancellationToken: Cancelled);
        foreach (var name in new[] { "n7.test", "n0.test", "n1.test", "n2.test", "n3.test", "n4.test", "n5.test", "n6.test" })
        {
            await _handler.FinishAsync(name, name is "n7.test" or "n0.test" ? new ChallengeException($"{name}: no.") : null);
        }

        Assert.Equal("n0.test: no.", (await Assert.ThrowsAsync<ChallengeException>(() => running)).Message);
    }

    [Fact]
    public async Task Run_Cancelled_EndsAndCleansUp()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = Task.Run(() => RunAsync(stop.Token), Cancelled);

        await Poll.UntilAsync(() => _handler.UnderWay == BoundedParallel.Maximum, "a few under way", cancellationToken: Cancelled);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        AssertAllCleaned(BoundedParallel.Maximum);
    }

    [Fact]
    public async Task Run_CancelledWhileTheAuthorityValidates_RespondsForAWhile()
    {
        var time = new FakeTimeProvider();
        var account = new PendingAccount(_handler.ChallengeType) { Validation = new TaskCompletionSource().Task };
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = Task.Run(() => RunAsync(lost.Token, account, time), Cancelled);
        for (var begun = 0; begun < Names; begun++)
        {
            await Poll.UntilAsync(() => _handler.UnderWay > 0, "a preparation", cancellationToken: Cancelled);
            await _handler.FinishAsync();
        }

        await Poll.UntilAsync(() => account.Posts == Names, "the challenges to be submitted", cancellationToken: Cancelled);
        await lost.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(_handler.Cleaned);
        time.Advance(TimeSpan.FromMinutes(3));
        await Poll.UntilAsync(() => _handler.Cleaned.Count == Names, "the responses to be removed", cancellationToken: Cancelled);
        AssertAllCleaned(Names);
    }

    /// <summary>The CA may be validating although it does not say so: without the responses, the validation would fail.</summary>
    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(429)]
    [InlineData(200)]
    [InlineData(0)]
    public async Task Run_AuthorityFailsWhileItValidates_RespondsForAWhile(int status)
    {
        var time = new FakeTimeProvider();
        AcmeException failure = status switch
        {
            429 => new AcmeRateLimitedException("Slow down.") { StatusCode = HttpStatusCode.TooManyRequests },
            200 => new AcmeMalformedResponseException("HTML.") { StatusCode = HttpStatusCode.OK },
            0 => new AcmePollingTimeoutException("Still pending."),
            _ => new AcmeException("No.") { StatusCode = (HttpStatusCode)status },
        };
        var account = new PendingAccount(_handler.ChallengeType) { Validation = Task.FromException(failure) };

        await FailAsync(account, time);

        Assert.Empty(_handler.Cleaned);
        time.Advance(TimeSpan.FromMinutes(3));
        await Poll.UntilAsync(() => _handler.Cleaned.Count == Names, "the responses to be removed", cancellationToken: Cancelled);
        AssertAllCleaned(Names);
    }

    /// <summary>If each name took the time of a CA that is down, the order would run out of time before another CA takes over.</summary>
    [Fact]
    public async Task Run_AuthorityIsDownWhileItValidates_IsNotAskedForEachName()
    {
        var account = new PendingAccount(_handler.ChallengeType)
        {
            Validation = Task.FromException(new AcmeUnreachableException("Down.")),
        };

        await FailAsync(account, new FakeTimeProvider());

        Assert.Equal(1, account.Waits);
    }

    [Fact]
    public async Task Run_AuthorityRefusesWhatIsPolled_CleansUpAtOnce()
    {
        var refusal = new AcmeException("Gone.")
        {
            StatusCode = HttpStatusCode.NotFound,
            Problem = new AcmeProblem { Type = AcmeProblemTypes.Malformed },
        };
        var account = new PendingAccount(_handler.ChallengeType) { Validation = Task.FromException(refusal) };

        await FailAsync(account, new FakeTimeProvider());

        AssertAllCleaned(Names);
    }

    private async Task FailAsync(PendingAccount account, FakeTimeProvider time)
    {
        var running = Task.Run(() => RunAsync(Cancelled, account, time), Cancelled);
        for (var begun = 0; begun < Names; begun++)
        {
            await Poll.UntilAsync(() => _handler.UnderWay > 0, "a preparation", cancellationToken: Cancelled);
            await _handler.FinishAsync();
        }

        await Assert.ThrowsAnyAsync<AcmeException>(() => running);
    }

    private void AssertAllCleaned(int begun)
    {
        Assert.Equal(begun, _handler.Begun.Count);
        Assert.Equal(_handler.Begun.Order(StringComparer.Ordinal), _handler.Cleaned.Order(StringComparer.Ordinal));
    }

    private async Task<int> RunAsync(CancellationToken cancellationToken, PendingAccount? account = null, TimeProvider? time = null)
    {
        var storage = new InMemoryStorage();
        var specification = new CertificateSpecification
        {
            Id = "n0.test",
            Identifiers = [.. Enumerable.Range(0, Names).Select(i => new CertificateIdentifier(IdentifierKind.Dns, $"n{i}.test"))],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = [_handler.ChallengeType],
        };
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            IsPublic = false,
        };
        var certificate = new ManagedCertificate(specification);
        await using var writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, cancellationToken);
        var context = new OrderContext
        {
            Certificate = certificate,
            Specification = specification,
            Authority = new CertificateAuthority(new DirectoryOnlyClient(authority, []), accounts: null!),
            TermsAccepted = true,
            Writer = writer,
            Stopping = CancellationToken.None,
        };
        var order = new Order
        {
            Url = new Uri("https://ca.test/order"),
            AuthorizationUrls = [.. Enumerable.Range(0, Names).Select(PendingAccount.Url)],
        };
        return await new AuthorizationFlow(
            new ChallengeHandlers([_handler]),
            SampleTurns.Create(storage, TimeProvider.System),
            SampleTurns.Alone(storage, TimeProvider.System),
            new ChallengeValidation(
                SampleStateWriters.Progress(TimeProvider.System), new IssuanceSettings(), TimeProvider.System,
                NullLogger<ChallengeValidation>.Instance),
            time ?? TimeProvider.System,
            NullLogger<AuthorizationFlow>.Instance)
            .RunAsync(context, account ?? new PendingAccount(_handler.ChallengeType), order, cancellationToken);
    }
}
