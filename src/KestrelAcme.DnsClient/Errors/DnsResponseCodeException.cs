using System.Net;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>A server rejected an update, with a code.</summary>
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

    /// <summary>The zone that was to change.</summary>
    public DnsName Zone { get; }

    /// <summary>The code.</summary>
    public DnsResponseCode Code { get; }

    private static string Explain(DnsResponseCode code) => code switch
    {
        DnsResponseCode.FORMERR => "it could not read the request",
        DnsResponseCode.SERVFAIL => "it failed; its log says why",
        DnsResponseCode.NXDOMAIN => "the name does not exist",
        DnsResponseCode.NOTIMP => "it takes no updates",
        DnsResponseCode.REFUSED => "its policy does not allow this client or key to make this change",
        DnsResponseCode.NOTAUTH => "it is not an authority for this zone",
        DnsResponseCode.NOTZONE => "a name is not within the zone",
        _ => "a condition of the update is not met",
    };
}
