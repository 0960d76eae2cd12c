using System.Net;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>A server could not be reached, or hung up.</summary>
public sealed class DnsTransportException : DnsException
{
    internal DnsTransportException(IPEndPoint server, string transport, Exception cause)
        : base($"{server} could not be asked over {transport}: {cause.Message}", cause) => Server = server;

    /// <summary>The server.</summary>
    public IPEndPoint Server { get; }
}
