using System.Net;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The proxy of the environment (<c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>), except for requests to this machine: the proxy would look for
/// them on its own machine, or refuse them in the name of the server. Other programs, such as Caddy, make that exception by themselves;
/// .NET makes it only if <c>NO_PROXY</c> says so.
/// </summary>
/// <remarks>Safe for concurrent use. The file is compiled into each product that needs it.</remarks>
/// <param name="environment">The proxy of the environment; <see langword="null"/> for the one of .NET.</param>
internal sealed class EnvironmentProxy(IWebProxy? environment = null) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => Of.Credentials;
        set => Of.Credentials = value;
    }

    // Not read before the first request.
    private IWebProxy Of => environment ?? HttpClient.DefaultProxy;

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : Of.GetProxy(destination);

    public bool IsBypassed(Uri host) => IsThisMachine(host) || Of.IsBypassed(host);

    private static bool IsThisMachine(Uri url) => url.IsLoopback || url.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
