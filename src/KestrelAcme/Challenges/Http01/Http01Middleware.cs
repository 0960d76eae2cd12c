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
internal sealed class Http01Middleware(RequestDelegate next, Http01TokenTable tokens, ILogger<Http01Middleware> logger)
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
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

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
