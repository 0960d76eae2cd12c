using System.Net;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>A server did not answer in time.</summary>
public sealed class DnsTimeoutException : DnsException
{
    internal DnsTimeoutException(IPEndPoint server, string transport, TimeSpan timeout)
        : base($"{server} did not answer over {transport} within {timeout.TotalSeconds:0.###} s.") => Server = server;

    /// <summary>The silent server.</summary>
    public IPEndPoint Server { get; }
}
