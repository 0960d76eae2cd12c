using System.Net;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>A signed exchange failed: the server rejects our signature, or its own does not pass (RFC 8945).</summary>
public sealed class TsigException : DnsException
{
    internal TsigException(IPEndPoint server, TsigKey key, string problem, TsigError? error = null)
        : base($"The exchange with {server}, signed with key {key}, failed: {problem}.")
    {
        Server = server;
        Error = error;
    }

    /// <summary>The server.</summary>
    public IPEndPoint Server { get; }

    /// <summary>The server's error, or null when it was its answer that did not pass.</summary>
    public TsigError? Error { get; }
}
