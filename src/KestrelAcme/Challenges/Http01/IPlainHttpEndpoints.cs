using System.Net;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Knows where this instance listens for plain HTTP.</summary>
internal interface IPlainHttpEndpoints
{
    /// <summary>The endpoints, wildcard addresses replaced by loopback; empty when there are none.</summary>
    IReadOnlyList<IPEndPoint> List();
}
