using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Responds to <c>/.well-known/acme-challenge/{token}</c> before any other middleware of the app. All other requests pass through.
/// </summary>
internal sealed class Http01Middleware(
    RequestDelegate next, Http01TokenTable tokens, AcmeHttpsMetrics metrics, ILogger<Http01Middleware> logger)
{
    public Task InvokeAsync(HttpContext context)
        => Http01Path.IsChallenge(context.Request.Path.Value) ? RespondAsync(context) : next(context);

    private async Task RespondAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }

        if (Http01Path.Token(request.Path.Value!) is not { } token
            || await tokens.FindAsync(token, context.Connection.RemoteIpAddress, context.RequestAborted) is not { } keyAuthorization)
        {
            metrics.ChallengeRequested(Http01ChallengeHandler.Type, Outcomes.Unknown);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        metrics.ChallengeRequested(Http01ChallengeHandler.Type, Outcomes.Answered);
        logger.TokenAnswered(context.Connection.RemoteIpAddress);
        var body = Encoding.ASCII.GetBytes(keyAuthorization);
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}

/// <summary>
/// Adds the challenge middleware to the start of the pipeline. It is registered first, so that it runs before host filtering, forwarded
/// headers and everything that the app adds.
/// </summary>
internal sealed class Http01StartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<Http01Middleware>();
        next(app);
    };
}

/// <summary>Reads tokens from request paths (RFC 8555 section 8.3). Pure. Allocates only for a well-formed token.</summary>
internal static class Http01Path
{
    public const string Prefix = "/.well-known/acme-challenge/";

    // Tokens in use have 43 characters. The RFC requires at least 128 bits of entropy.
    private const int MaxTokenLength = 256;

    public static bool IsChallenge(string? path) => path is not null && path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <returns>The token, or <see langword="null"/> if what follows the prefix is not a token.</returns>
    public static string? Token(string path)
    {
        var token = path.AsSpan(Prefix.Length);
        return IsWellFormed(token) ? token.ToString() : null;
    }

    public static bool IsWellFormed(ReadOnlySpan<char> token)
    {
        if (token.IsEmpty || token.Length > MaxTokenLength)
        {
            return false;
        }

        foreach (var c in token)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                return false;
            }
        }

        return true;
    }
}
