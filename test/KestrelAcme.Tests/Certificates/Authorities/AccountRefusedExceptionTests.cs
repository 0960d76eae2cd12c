using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Problems;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class AccountRefusedExceptionTests
{
    [Theory]
    [InlineData(HttpStatusCode.Forbidden, AcmeProblemTypes.Unauthorized, true)]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.Malformed, true)]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.BadNonce, false)]
    [InlineData(HttpStatusCode.InternalServerError, AcmeProblemTypes.ServerInternal, false)]
    [InlineData(HttpStatusCode.Forbidden, null, false)]
    public void IsRefusal_Answer_OnlyWhatTheAuthoritySaysOfUs(HttpStatusCode status, string? problem, bool expected)
    {
        var answer = new AcmeException("No.") { StatusCode = status, Problem = problem is null ? null : new AcmeProblem { Type = problem } };

        Assert.Equal(expected, AccountRefusedException.IsRefusal(answer));
    }

    [Fact]
    public void IsRefusal_RateLimited_IsPassing()
        => Assert.False(AccountRefusedException.IsRefusal(
            new AcmeRateLimitedException("Later.") { StatusCode = HttpStatusCode.TooManyRequests, Problem = new AcmeProblem { Type = AcmeProblemTypes.RateLimited } }));
}
