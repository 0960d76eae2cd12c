using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>A separate Kestrel for the request pipeline: it shares nothing with the app's, neither configuration nor routing.</summary>
internal sealed class AuthorityServer : IAsyncDisposable
{
    private const int MaxRequestBody = 256 * 1024;

    private readonly Dictionary<int, Socket> _sockets;
    private readonly WebApplication _app;

    public AuthorityServer(Socket https, Socket files, X509Certificate2 certificate, RequestPipeline pipeline)
    {
        _sockets = new Dictionary<int, Socket> { [PortOf(https)] = https, [PortOf(files)] = files };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());

        // The default console lifetime would handle Ctrl+C instead of the app's host.
        builder.Services.AddSingleton<IHostLifetime, GuestLifetime>();
        builder.Services.Configure<SocketTransportOptions>(o => o.CreateBoundListenSocket = TakeSocket);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBody;
            kestrel.Listen(IPAddress.Loopback, PortOf(https), listen => listen.UseHttps(certificate));
            kestrel.Listen(IPAddress.Loopback, PortOf(files), listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(pipeline.HandleAsync);
    }

    public static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Requests in progress are aborted: there is nothing to wait for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }
    }

    private Socket TakeSocket(EndPoint endpoint) => _sockets[((IPEndPoint)endpoint).Port];
}

/// <summary>The lifetime of a host inside another host's process: it neither waits nor handles signals.</summary>
internal sealed class GuestLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
