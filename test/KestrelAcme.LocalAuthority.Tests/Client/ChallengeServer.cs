using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>Responds to http-01 validations.</summary>
internal sealed class ChallengeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _paths = new();

    private ChallengeServer()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(context =>
        {
            Hits.Enqueue(context.Request.Host + context.Request.Path);
            return _paths.TryGetValue(context.Request.Path.Value!, out var answer) ? answer(context) : NotFound(context);
        });
    }

    public ConcurrentQueue<string> Hits { get; } = new();

    public IPEndPoint Endpoint { get; private set; } = new(IPAddress.Loopback, 0);

    public static async Task<ChallengeServer> StartAsync()
    {
        var server = new ChallengeServer();
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        server.Endpoint = new IPEndPoint(IPAddress.Loopback, new Uri(server._app.Urls.First()).Port);
        return server;
    }

    public void Serve(string token, string content) => Map(token, context => context.Response.WriteAsync(content));

    public void Map(string token, RequestDelegate answer) => _paths["/.well-known/acme-challenge/" + token] = answer;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
