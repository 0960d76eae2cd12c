using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Answers <c>/.well-known/acme-challenge/{token}</c> before anything of the application sees the request; everything else passes untouched.</summary>
internal sealed class Http01Middleware(RequestDelegate next, Http01TokenTable tokens, ILogger<Http01Middleware> logger)
{
    public Task InvokeAsync(HttpContext context)
        => Http01Path.IsChallenge(context.Request.Path.Value) ? AnswerAsync(context) : next(context);

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }

        if (Http01Path.Token(request.Path.Value!) is not { } token || await tokens.FindAsync(token, context.Connection.RemoteIpAddress, context.RequestAborted) is not { } answer)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        logger.TokenAnswered(context.Connection.RemoteIpAddress);
        var body = Encoding.ASCII.GetBytes(answer);
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
