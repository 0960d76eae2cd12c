using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>The base class of all DNS failures. The message names the server or the name, with the reason.</summary>
public abstract class DnsException : Exception
{
    private protected DnsException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}

/// <summary>A server rejected an update.</summary>
public sealed class DnsResponseCodeException : DnsException
{
    internal DnsResponseCodeException(IPEndPoint server, DnsName zone, DnsResponseCode code)
        : base($"{server} rejected the update of zone {zone}: {code} ({Explain(code)}).")
    {
        Server = server;
        Zone = zone;
        Code = code;
    }

    /// <summary>The server.</summary>
    public IPEndPoint Server { get; }

    /// <summary>The zone of the update.</summary>
    public DnsName Zone { get; }

    /// <summary>The response code.</summary>
    public DnsResponseCode Code { get; }

    private static string Explain(DnsResponseCode code) => code switch
    {
        DnsResponseCode.FORMERR => "it could not read the request",
        DnsResponseCode.SERVFAIL => "it failed; its log says why",
        DnsResponseCode.NXDOMAIN => "the name does not exist",
        DnsResponseCode.NOTIMP => "it does not support updates",
        DnsResponseCode.REFUSED => "its policy does not allow this client or key to make this change",
        DnsResponseCode.NOTAUTH => "it is not an authority for this zone",
        DnsResponseCode.NOTZONE => "a name is not within the zone",
        _ => "a condition of the update is not met",
    };
}

/// <summary>No resolver answered. If a name or a type does not exist, that is an answer, not an exception.</summary>
public sealed class DnsResolutionException : DnsException
{
    internal DnsResolutionException(DnsName name, DnsRecordType type, IReadOnlyList<DnsServerFailure> failures)
        : base($"No resolver answered for {name} {type}: {string.Join("; ", failures.Select(failure => failure.Problem))}")
    {
        Name = name;
        Type = type;
        Failures = failures;
    }

    /// <summary>The queried name.</summary>
    public DnsName Name { get; }

    /// <summary>The queried type.</summary>
    public DnsRecordType Type { get; }

    /// <summary>The last failure of each server, in the order in which they were first queried.</summary>
    public IReadOnlyList<DnsServerFailure> Failures { get; }
}

/// <summary>Why a server did not answer.</summary>
/// <param name="Server">The server.</param>
/// <param name="Problem">A sentence that names the server.</param>
/// <param name="Code">The response code, or null if there was no response.</param>
public sealed record DnsServerFailure(IPEndPoint Server, string Problem, DnsResponseCode? Code);

/// <summary>A chain of CNAMEs forms a loop or is too long to follow.</summary>
public sealed class DnsAliasException : DnsException
{
    internal DnsAliasException(string problem, IReadOnlyList<DnsName> chain)
        : base($"The CNAMEs of {chain[0]} {problem}: {string.Join(" -> ", chain)}.") => Chain = chain;

    /// <summary>The names in order, including the one that closes the loop.</summary>
    public IReadOnlyList<DnsName> Chain { get; }
}

/// <summary>The zone of a name, or a name server of the zone, cannot be found.</summary>
public sealed class DnsZoneException : DnsException
{
    internal DnsZoneException(DnsName name, string problem)
        : base(problem) => Name = name;

    /// <summary>The name or zone that was looked up.</summary>
    public DnsName Name { get; }
}

/// <summary>A server did not respond in time.</summary>
public sealed class DnsTimeoutException : DnsException
{
    internal DnsTimeoutException(IPEndPoint server, string transport, TimeSpan timeout)
        : base($"{server} did not answer over {transport} within {timeout.TotalSeconds:0.###} s.") => Server = server;

    /// <summary>The server.</summary>
    public IPEndPoint Server { get; }
}

/// <summary>A server could not be reached, or closed the connection.</summary>
public sealed class DnsTransportException : DnsException
{
    internal DnsTransportException(IPEndPoint server, string transport, Exception cause)
        : base($"{server} could not be reached over {transport}: {cause.Message}", cause) => Server = server;

    /// <summary>The server.</summary>
    public IPEndPoint Server { get; }
}

/// <summary>A response violates the message format, or answers a different query.</summary>
public sealed class DnsFormatException : DnsException
{
    internal DnsFormatException(string problem)
        : base(problem)
    {
    }

    internal DnsFormatException(IPEndPoint server, DnsFormatException cause)
        : base($"The response of {server} is malformed: {cause.Message}.", cause) => Server = server;

    /// <summary>The server that sent it, if known.</summary>
    public IPEndPoint? Server { get; }
}

/// <summary>
/// A lookup was abandoned because it took too long or needed too many queries, which a hostile or broken zone can cause.
/// </summary>
public sealed class DnsLimitException : DnsException
{
    internal DnsLimitException(DnsName name, string limit, bool wasAnswered)
        : base($"The lookup of {name} was abandoned: {limit}.")
    {
        Name = name;
        WasAnswered = wasAnswered;
    }

    /// <summary>The name or zone that was looked up.</summary>
    public DnsName Name { get; }

    /// <summary>
    /// Whether the resolvers answered at least one query. If so, the zone's own servers are slow, and not the resolvers.
    /// </summary>
    public bool WasAnswered { get; }
}

/// <summary>A signed exchange failed: the server rejected the signature, or its own signature is invalid (RFC 8945).</summary>
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

    /// <summary>The server's error, or null if the signature of its response is invalid.</summary>
    public TsigError? Error { get; }
}
