using System.Net;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>An answer breaks the rules of the message format, or answers another question.</summary>
public sealed class DnsFormatException : DnsException
{
    internal DnsFormatException(string problem)
        : base(problem)
    {
    }

    internal DnsFormatException(IPEndPoint server, DnsFormatException cause)
        : base($"The answer of {server} is malformed: {cause.Message}.", cause) => Server = server;

    /// <summary>The server that sent it, where known.</summary>
    public IPEndPoint? Server { get; }
}
