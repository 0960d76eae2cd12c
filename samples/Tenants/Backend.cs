namespace Tenants;

/// <summary>What the proxy stands before: a service that says who visits which customer.</summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Backend(WebApplication app) => _app = app;

    /// <summary>The service's address, such as <c>http://127.0.0.1:40123/</c>.</summary>
    public string Address => $"{_app.Urls.First()}/";

    public static async Task<Backend> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync($"Welcome to {context.Request.Headers["X-Forwarded-Host"]}\n"));
        await app.StartAsync();
        return new Backend(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
