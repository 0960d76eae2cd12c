using System.Net;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Where a name answers: in place of its ports 80 and 443.</summary>
internal sealed record ValidationEndpoints(IPEndPoint Http, IPEndPoint Tls)
{
    /// <summary>The endpoint that stands for a port of the name.</summary>
    public IPEndPoint For(int port) => port switch
    {
        80 => Http,
        443 => Tls,
        _ => new IPEndPoint(Http.Address, port),
    };
}
