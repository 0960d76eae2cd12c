using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.Challenges.Dns01.Servers;

/// <summary>An HTTP server for tests on a free port.</summary>
internal sealed class StubApi : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubApi(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.First() + "/");

    /// <summary>Responses to return instead of the server's own, in order.</summary>
    public ConcurrentQueue<(int Status, string Body, string? RetryAfter)> Refusals { get; } = new();

    /// <summary>The method, path and query of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Starts the server, with HTTPS if there is a certificate.</summary>
    public static async Task<StubApi> StartAsync(
        Action<WebApplication> map, CancellationToken cancellationToken, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var stub = new StubApi(app);
        app.Use(stub.RefuseAsync);
        map(app);
        await app.StartAsync(cancellationToken);
        return stub;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task RefuseAsync(HttpContext context, RequestDelegate next)
    {
        Requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
        if (!Refusals.TryDequeue(out var refusal))
        {
            await next(context);
            return;
        }

        context.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter is not null)
        {
            context.Response.Headers.RetryAfter = refusal.RetryAfter;
        }

        await context.Response.WriteAsync(refusal.Body);
    }
}
