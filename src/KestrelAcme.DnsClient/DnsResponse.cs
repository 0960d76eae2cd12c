using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient;

/// <summary>The response of a server to a query, whatever its code. Immutable.</summary>
public sealed class DnsResponse
{
    internal DnsResponse(IPEndPoint server, DnsQuestion question, DnsMessage message)
    {
        Server = server;
        Name = question.Name;
        Type = question.Type;
        Code = message.Code;
        IsAuthoritative = message.Header.IsAuthoritative;
        IsRecursionAvailable = message.Header.IsRecursionAvailable;
        Answers = message.Answers;
        Authority = message.Authority;
    }

    /// <summary>The server that responded.</summary>
    public IPEndPoint Server { get; }

    /// <summary>The queried name.</summary>
    public DnsName Name { get; }

    /// <summary>The queried type.</summary>
    public DnsRecordType Type { get; }

    /// <summary>The response code, including the upper bits from EDNS.</summary>
    public DnsResponseCode Code { get; }

    /// <summary>Whether the server claims to be authoritative for the name (AA); a lame server does not.</summary>
    public bool IsAuthoritative { get; }

    /// <summary>Whether the server offers recursion (RA).</summary>
    public bool IsRecursionAvailable { get; }

    /// <summary>The answer section: the queried records, and the CNAMEs that lead to them.</summary>
    public IReadOnlyList<DnsRecord> Answers { get; }

    /// <summary>The authority section: the SOA of a negative response, or the NS records of a referral.</summary>
    public IReadOnlyList<DnsRecord> Authority { get; }

    /// <summary>
    /// The answers of one type that belong to the queried name, or to the name at the end of its CNAMEs as far as this response includes
    /// them. Records of other names are ignored.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs form a loop or have more than 16 hops.</exception>
    public IReadOnlyList<T> RecordsOf<T>()
        where T : DnsRecord
    {
        var chain = new AliasChain(Name);
        chain.Follow(Answers);
        return [.. Answers.OfType<T>().Where(record => record.Name == chain.End)];
    }

    /// <summary>Whether the server has no answer but refers to the servers of a child zone.</summary>
    internal bool IsReferral =>
        Code == DnsResponseCode.NOERROR && !IsAuthoritative && !IsRecursionAvailable && Answers.Count == 0
        && Authority.Any(record => record is NsRecord) && !Authority.Any(record => record is SoaRecord);
}

/// <summary>A response code (RCODE), by the mnemonic of RFC 1035, 2136 and 6891. Other numbers may occur.</summary>
public enum DnsResponseCode
{
    /// <summary>No error.</summary>
    NOERROR = 0,

    /// <summary>The server could not read the request.</summary>
    FORMERR = 1,

    /// <summary>The server failed: often a resolver whose upstream did not respond, or DNSSEC validation failed.</summary>
    SERVFAIL = 2,

    /// <summary>The name does not exist.</summary>
    NXDOMAIN = 3,

    /// <summary>The server does not support this kind of request.</summary>
    NOTIMP = 4,

    /// <summary>The server refuses because of its policy: not its zone, or not allowed for this client.</summary>
    REFUSED = 5,

    /// <summary>A name exists although it should not.</summary>
    YXDOMAIN = 6,

    /// <summary>A record set exists although it should not.</summary>
    YXRRSET = 7,

    /// <summary>A record set does not exist although it should.</summary>
    NXRRSET = 8,

    /// <summary>The server is not authoritative for the zone, or the signature of the request is invalid.</summary>
    NOTAUTH = 9,

    /// <summary>A name in an update is not within the zone.</summary>
    NOTZONE = 10,

    /// <summary>The server does not support this version of EDNS.</summary>
    BADVERS = 16,
}
