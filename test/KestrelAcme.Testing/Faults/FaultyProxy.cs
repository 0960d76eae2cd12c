using System.Net;
using KestrelAcme.Testing.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Testing.Faults;

/// <summary>
/// A reverse proxy over HTTPS in front of an ACME server. It keeps the Host header, so that the server's URLs lead back through it,
/// records all requests, and injects the faults added by <see cref="Add"/>. Thread-safe.
/// </summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Fault> _faults = [];
    private readonly List<ProxiedRequest> _requests = [];
    private readonly LoopbackCertificate _certificate = LoopbackCertificate.Create();
    private readonly Uri _target;
    private readonly HttpClient _client;
    private readonly WebApplication _application;

    private FaultyProxy(Uri target, string targetRootsPem)
    {
        _target = target;
        _client = TrustingClient.Create(targetRootsPem);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _application = builder.Build();
        _application.Run(HandleAsync);
    }

    /// <summary>The directory of the server, through the proxy.</summary>
    public Uri DirectoryUrl { get; private set; } = null!;

    /// <summary>The root of the proxy's own HTTPS certificate.</summary>
    public string TrustedRootsPem => _certificate.RootPem;

    /// <summary>The requests so far, in order of arrival.</summary>
    public IReadOnlyList<ProxiedRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Starts a proxy on a free port in front of <paramref name="pebble"/>.</summary>
    public static Task<FaultyProxy> StartAsync(PebbleServer pebble, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pebble);
        return StartAsync(pebble.DirectoryUrl, pebble.TrustedRootsPem, cancellationToken);
    }

    /// <summary>Starts a proxy on a free port in front of any server.</summary>
    /// <param name="directoryUrl">The server's directory.</param>
    /// <param name="targetRootsPem">The roots of the server's HTTPS certificate.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<FaultyProxy> StartAsync(Uri directoryUrl, string targetRootsPem, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directoryUrl);
        var proxy = new FaultyProxy(directoryUrl, targetRootsPem);
        await proxy._application.StartAsync(cancellationToken);
        var address = proxy._application.Services.GetRequiredService<IServer>()
            .Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.Single();
        proxy.DirectoryUrl = new Uri(new Uri(address), directoryUrl.PathAndQuery);
        return proxy;
    }

    /// <summary>Adds a fault. Of several that match a request, the first one added applies.</summary>
    /// <returns><paramref name="fault"/>, to count its hits.</returns>
    public Fault Add(Fault fault)
    {
        lock (_gate)
        {
            _faults.Add(fault);
        }

        return fault;
    }

    /// <summary>Removes all faults.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _faults.Clear();
        }
    }

    /// <summary>An HTTP client that trusts <see cref="TrustedRootsPem"/>; the caller disposes it.</summary>
    public HttpClient CreateClient() => TrustingClient.Create(TrustedRootsPem);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Requests that are held must not block the shutdown.
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
        _client.Dispose();
        _certificate.Dispose();
    }

    private void Configure(KestrelServerOptions options) =>
        options.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate.Server));

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ProxyMessages.ReadAsync(context);
        Fault? fault;
        lock (_gate)
        {
            _requests.Add(request);
            fault = _faults.FirstOrDefault(candidate => candidate.Takes(request));
        }

        try
        {
            await AnswerAsync(context, request, fault);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort(); // The client closed the connection, or the proxy stops.
        }
    }

    private async Task AnswerAsync(HttpContext context, ProxiedRequest request, Fault? fault)
    {
        if (fault is not null)
        {
            await Task.Delay(fault.Delay, TimeProvider.System, context.RequestAborted);
            await (fault.HoldUntil ?? Task.CompletedTask).WaitAsync(context.RequestAborted);
        }

        if (fault?.Cut == CutPoint.BeforeForwarding)
        {
            context.Abort();
            return;
        }

        if (fault?.AnswersByItself == true)
        {
            await ProxyMessages.WriteOwnAsync(context, request, fault);
            return;
        }

        using var answer = await ForwardAsync(context, request);
        if (fault?.Cut == CutPoint.AfterForwarding)
        {
            context.Abort();
        }
        else
        {
            await ProxyMessages.WriteAsync(context, request, answer, fault);
        }
    }

    private async Task<HttpResponseMessage> ForwardAsync(HttpContext context, ProxiedRequest request)
    {
        using var message = ProxyMessages.CreateForward(request, new Uri(_target, request.Path));
        try
        {
            return await _client.SendAsync(message, context.RequestAborted);
        }
        catch (HttpRequestException)
        {
            return new HttpResponseMessage(HttpStatusCode.BadGateway);
        }
    }
}
