using System.Net;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Responds to <c>/.well-known/acme-challenge/{token}</c> before any other middleware of the app. All other requests pass through.
/// </summary>
internal sealed class Http01Middleware(
    RequestDelegate next,
    Http01TokenTable tokens,
    StatelessResponses stateless,
    TlsCertificateTable names,
    AcmeHttpsMetrics metrics,
    ILogger<Http01Middleware> logger)
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

        // Nothing more is done for what no CA would request: a token that is too short, or another host.
        var token = Http01Path.Token(request.Path.Value!);
        var mayBeGenuine = token is not null && Http01Path.MayBeGenuine(token) && IsManaged(request.Host.Host);
        var response = token is null
            ? null
            : await tokens.FindAsync(
                token, context.Connection.RemoteIpAddress, mayBeGenuine && !stateless.IsEnabled, context.RequestAborted);
        var isReflected = response is null && mayBeGenuine;
        response ??= isReflected ? stateless.Find(token!) : null;
        metrics.ChallengeRequested(Http01ChallengeHandler.Type, response is null ? Outcomes.Unknown : Outcomes.Answered);
        if (response is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        await WriteAsync(context, response, isReflected ? "text/plain" : "application/octet-stream");
    }

    private async Task WriteAsync(HttpContext context, string response, string contentType)
    {
        logger.TokenAnswered(context.Connection.RemoteIpAddress);
        var body = Encoding.ASCII.GetBytes(response);
        context.Response.ContentType = contentType;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private bool IsManaged(string host)
    {
        var managed = names.Managed;
        return IPAddress.TryParse(host.AsSpan().Trim("[]"), out var address)
            ? managed.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
            : managed.Find(HostName.Normalize(host)) is not null;
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

    // Tokens have at least 128 bits of entropy (RFC 8555 section 8.1), which takes 22 characters. Those in use have 32 or 43.
    private const int MinGenuineLength = 22;
    private const int MaxGenuineLength = 128;

    public static bool IsChallenge(string? path) => path is not null && path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <returns>The token, or <see langword="null"/> if what follows the prefix is not a token.</returns>
    public static string? Token(string path)
    {
        var token = path.AsSpan(Prefix.Length);
        return IsWellFormed(token) ? token.ToString() : null;
    }

    public static bool IsWellFormed(ReadOnlySpan<char> token) => SharedChallenge.IsToken(token);

    /// <summary>Whether a CA may have made a token, judging by its length.</summary>
    public static bool MayBeGenuine(string token) => token.Length is >= MinGenuineLength and <= MaxGenuineLength;
}

/// <summary>Responds to http-01 challenges (RFC 8555 section 8.3) in the app's own pipeline.</summary>
internal sealed class Http01ChallengeHandler(Http01TokenTable tokens, Http01SelfCheck selfCheck) : IChallengeHandler
{
    public const string Type = Http01TokenTable.Type;

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard && (identifierType is "dns" or "ip");

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (context is not { Token: { } token, KeyAuthorization: { } keyAuthorization } || !Http01Path.IsWellFormed(token))
        {
            throw new ChallengeException($"{context.Identifier}: the CA's http-01 challenge has no usable token.");
        }

        return tokens.AddAsync(token, keyAuthorization, SharedChallenge.Of(context), cancellationToken);
    }

    // The token is served as soon as it is prepared, and the order waits for other instances to learn of it. Only whether requests for it
    // arrive has to be checked.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => selfCheck.RunAsync(context, cancellationToken);

    public async ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var seen = await selfCheck.DescribeAsync(context, cancellationToken);
        return context.Token is { } token && tokens.RequestsFor(token) is { Count: > 0 } requests
            ? $"Seen from this machine, the token was requested {Times(requests.Count)} (including KestrelAcme's own check) "
                + $"from {Addresses(requests.Addresses)}, and returned; {seen}."
            : $"Seen from this machine, no request for the token arrived at this instance; {seen}.";
    }

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => context.Token is { } token && Http01Path.IsWellFormed(token)
            ? tokens.RemoveAsync(token, cancellationToken)
            : Task.CompletedTask;

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Addresses(int count) => count == 1 ? "one address" : $"{count} addresses";
}
