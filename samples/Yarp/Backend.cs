using Yarp.ReverseProxy.Configuration;

namespace YarpSample;

/// <summary>What the proxy stands before: a service that says what it was asked for.</summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Backend(WebApplication app) => _app = app;

    /// <summary>The service's address, such as <c>http://127.0.0.1:40123</c>.</summary>
    public string Address => _app.Urls.First();

    public static async Task<Backend> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context =>
        {
            var (path, headers) = (context.Request.Path, context.Request.Headers);
            return context.Response.WriteAsync($"{path} for {headers["X-Forwarded-Host"]} over {headers["X-Forwarded-Proto"]}\n");
        });
        await app.StartAsync();
        return new Backend(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

/// <summary>Puts the service's address in the place of <c>http://backend</c>.</summary>
internal sealed class BackendAddress(Backend backend) : IProxyConfigFilter
{
    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        var destinations = cluster.Destinations?.ToDictionary(
            d => d.Key,
            d => d.Value with { Address = d.Value.Address.Replace("http://backend", backend.Address, StringComparison.Ordinal) },
            StringComparer.OrdinalIgnoreCase);
        return new(cluster with { Destinations = destinations });
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) => new(route);
}
