using System.Net;
using KestrelAcme.Challenges.Http01;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Hosting;

/// <summary>Reads from the server where it listens for plain HTTP.</summary>
internal sealed class PlainHttpEndpoints(IServer server) : IPlainHttpEndpoints
{
    public IReadOnlyList<IPEndPoint> List()
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        return [.. addresses
            .Where(a => a.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            .Select(BindingAddress.Parse)
            .Where(a => !a.IsUnixPipe && !a.IsNamedPipe)
            .Select(a => new IPEndPoint(AddressOf(a.Host), a.Port))];
    }

    // A wildcard, or a name such as localhost, is reached at loopback.
    private static IPAddress AddressOf(string host)
        => IPAddress.TryParse(host.Trim('[', ']'), out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address : IPAddress.Loopback;
}
