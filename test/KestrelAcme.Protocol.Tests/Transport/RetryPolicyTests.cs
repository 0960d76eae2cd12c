using System.Net;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class RetryPolicyTests
{
    private static readonly AcmeRetryOptions Options = new();

    [Theory]
    [InlineData(1, 500)]
    [InlineData(2, 1000)]
    [InlineData(4, 4000)]
    public void NextDelay_Failures_Doubles(int attempt, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Next(Status(500), attempt));

    [Fact]
    public void NextDelay_NoJitter_IsHalf() => Assert.Equal(
        TimeSpan.FromMilliseconds(250), RetryPolicy.NextDelay(Options, Status(500), 1, TimeSpan.Zero, Options.TotalBudget, jitter: 0));

    [Fact]
    public void NextDelay_LastAttempt_GivesUp() => Assert.Null(Next(Status(500), attempt: 5));

    [Fact]
    public void NextDelay_ManyAttempts_IsCapped()
    {
        var patient = new AcmeRetryOptions { MaxAttempts = int.MaxValue };

        Assert.Equal(patient.MaxDelay, RetryPolicy.NextDelay(patient, Status(500), 1000, TimeSpan.Zero, patient.TotalBudget, 1));
    }

    [Fact]
    public void NextDelay_BudgetSpent_GivesUp() =>
        Assert.Null(RetryPolicy.NextDelay(Options, Status(500), 1, Options.TotalBudget, Options.TotalBudget, 1));

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(501)]
    public void NextDelay_NoUse_GivesUp(int status) => Assert.Null(Next(Status(status)));

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public void NextDelay_RetryAfter_IsTheWait(int status)
    {
        Assert.Equal(TimeSpan.FromSeconds(7), Next(Status(status, retryAfter: 7, repeatable: false)));
        Assert.Null(Next(Status(status, retryAfter: 31)));
    }

    [Fact]
    public void NextDelay_AnswerLost_OnlyRepeatable()
    {
        Assert.NotNull(Next(new AcmeUnreachableException("lost") { IsRepeatable = true }));
        Assert.Null(Next(new AcmeUnreachableException("lost") { IsRepeatable = false }));
        Assert.Null(Next(Status(500, repeatable: false)));
        Assert.Null(Next(Status(502, repeatable: false)));
        Assert.NotNull(Next(Status(503, repeatable: false)));
    }

    [Fact]
    public void NextDelay_Hopeless_GivesUp()
    {
        Assert.Null(Next(new AcmeUnreachableException("tls") { IsTlsFailure = true, IsRepeatable = true }));
        Assert.Null(Next(new AcmeMalformedResponseException("garbage") { IsRepeatable = true }));
    }

    private static TimeSpan? Next(AcmeException failure, int attempt = 1) =>
        RetryPolicy.NextDelay(Options, failure, attempt, TimeSpan.Zero, Options.TotalBudget, jitter: 1);

    private static AcmeException Status(int status, int? retryAfter = null, bool repeatable = true) => new("failed")
    {
        IsRepeatable = repeatable,
        StatusCode = (HttpStatusCode)status,
        RetryAfter = retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };
}
