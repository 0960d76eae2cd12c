using System.Net;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>A name server of a zone and where it can be asked.</summary>
public sealed class AuthoritativeServer
{
    /// <summary>The name in the zone's NS record.</summary>
    public required DnsName Name { get; init; }

    /// <summary>Its addresses, without those that this machine has no route to. May be empty.</summary>
    public required IReadOnlyList<IPEndPoint> EndPoints { get; init; }

    /// <summary>Addresses left out because this machine has no route to them, as IPv6 often.</summary>
    public required IReadOnlyList<IPEndPoint> Unroutable { get; init; }

    /// <summary>Why its addresses could not be looked up, or null.</summary>
    public DnsException? Failure { get; init; }

    /// <summary>The name and the addresses.</summary>
    public override string ToString() => EndPoints.Count == 0 ? $"{Name} (no address)" : $"{Name} ({string.Join(", ", EndPoints)})";
}
