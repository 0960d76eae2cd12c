using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class AccountEvidenceTests
{
    [Theory]
    [InlineData(HttpStatusCode.Forbidden, AcmeProblemTypes.Unauthorized, true)]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.Malformed, true)]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.BadNonce, false)]
    [InlineData(HttpStatusCode.InternalServerError, AcmeProblemTypes.ServerInternal, false)]
    [InlineData(HttpStatusCode.Forbidden, null, false)]
    public void IsRefusal_Response_OnlyIfItConcernsTheAccount(HttpStatusCode status, string? problem, bool expected)
        => Assert.Equal(expected, AccountEvidence.IsRefusal(Answer(status, problem)));

    [Fact]
    public void IsRefusal_RateLimited_IsTemporary()
        => Assert.False(AccountEvidence.IsRefusal(
            new AcmeRateLimitedException("Later.")
            {
                StatusCode = HttpStatusCode.TooManyRequests,
                Problem = new AcmeProblem { Type = AcmeProblemTypes.RateLimited },
            }));

    [Theory]
    [InlineData(AcmeProblemTypes.AccountDoesNotExist, true, true)]
    [InlineData(AcmeProblemTypes.Unauthorized, true, true)]
    [InlineData(AcmeProblemTypes.Malformed, true, false)]
    [InlineData(AcmeProblemTypes.BadPublicKey, true, false)]
    [InlineData(AcmeProblemTypes.BadSignatureAlgorithm, true, false)]
    [InlineData(AcmeProblemTypes.UserActionRequired, true, false)]
    [InlineData(AcmeProblemTypes.ExternalAccountRequired, true, false)]
    [InlineData(AcmeProblemTypes.RejectedIdentifier, false, false)]
    [InlineData(AcmeProblemTypes.Caa, false, false)]
    [InlineData(AcmeProblemTypes.InvalidProfile, false, false)]
    public void MayBlameAccount_Problem_DependsOnTheStep(string problem, bool atNewOrder, bool later)
    {
        Assert.Equal(atNewOrder, AccountEvidence.MayBlameAccount(Answer(HttpStatusCode.Forbidden, problem), isNewOrder: true));
        Assert.Equal(later, AccountEvidence.MayBlameAccount(Answer(HttpStatusCode.Forbidden, problem), isNewOrder: false));
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.AccountDoesNotExist, "No such account.", "Lost")]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.BadPublicKey, "public key is forbidden", "KeyRevoked")]
    [InlineData(HttpStatusCode.Forbidden, AcmeProblemTypes.Unauthorized, "Account is not valid, has status \"revoked\"", "KeyRevoked")]
    [InlineData(HttpStatusCode.Unauthorized, AcmeProblemTypes.Unauthorized, "Account is not valid, has status \"deactivated\"", "Refused")]
    [InlineData(HttpStatusCode.Forbidden, AcmeProblemTypes.UserActionRequired, "Agree to the terms.", "Refused")]
    [InlineData(HttpStatusCode.BadRequest, AcmeProblemTypes.Malformed, "onlyReturnExisting is not known", "Valid")]
    [InlineData(HttpStatusCode.InternalServerError, AcmeProblemTypes.ServerInternal, "Broken.", "Unknown")]
    [InlineData(HttpStatusCode.BadGateway, null, "", "Unknown")]
    public void Judge_AnswerToTheLookUp_IsAFinding(HttpStatusCode status, string? problem, string detail, string expected)
        => Assert.Equal(Enum.Parse<AccountFinding>(expected), AccountEvidence.Judge(Answer(status, problem, detail)));

    [Theory]
    [InlineData(AccountStatus.Valid, "Valid")]
    [InlineData(AccountStatus.Unknown, "Valid")]
    [InlineData(AccountStatus.Deactivated, "Refused")]
    [InlineData(AccountStatus.Revoked, "KeyRevoked")]
    public void Judge_Status_IsAFinding(AccountStatus status, string expected)
        => Assert.Equal(Enum.Parse<AccountFinding>(expected), AccountEvidence.Judge(status));

    private static AcmeException Answer(HttpStatusCode status, string? problem, string detail = "No.")
        => new("No.") { StatusCode = status, Problem = problem is null ? null : new AcmeProblem { Type = problem, Detail = detail } };
}
