using Azure.Core;

namespace KestrelAcme.Azure.Tests;

/// <summary>Issues a fixed token, or fails; records the requested scope.</summary>
internal sealed class StaticCredential(string token, Exception? failure = null) : TokenCredential
{
    public string? Scope { get; private set; }

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        Scope = string.Join(' ', requestContext.Scopes);
        return failure is null ? new AccessToken(token, TimeProvider.System.GetUtcNow().AddHours(1)) : throw failure;
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        => ValueTask.FromResult(GetToken(requestContext, cancellationToken));
}
