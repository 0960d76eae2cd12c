using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient;

/// <summary>What one server answered to one query, whatever its code. Immutable.</summary>
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

    /// <summary>The server that answered.</summary>
    public IPEndPoint Server { get; }

    /// <summary>The name asked for.</summary>
    public DnsName Name { get; }

    /// <summary>The type asked for.</summary>
    public DnsRecordType Type { get; }

    /// <summary>The code, the upper bits from EDNS included.</summary>
    public DnsResponseCode Code { get; }

    /// <summary>Whether the server says that it is an authority for the name (AA): a lame server does not.</summary>
    public bool IsAuthoritative { get; }

    /// <summary>Whether the server offers recursion (RA).</summary>
    public bool IsRecursionAvailable { get; }

    /// <summary>The answer section: the records asked for, and the CNAMEs that led to them.</summary>
    public IReadOnlyList<DnsRecord> Answers { get; }

    /// <summary>The authority section: the SOA of a negative answer, the NS of a referral.</summary>
    public IReadOnlyList<DnsRecord> Authority { get; }

    /// <summary>
    /// The answers of one kind that the name asked for owns, or the name at the end of its CNAMEs as far as this answer shows them.
    /// Records of other names are left out, whatever the server meant by them.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs run in a circle or go on for more than 16 hops.</exception>
    public IReadOnlyList<T> RecordsOf<T>()
        where T : DnsRecord
    {
        var chain = new AliasChain(Name);
        chain.Follow(Answers);
        return [.. Answers.OfType<T>().Where(record => record.Name == chain.End)];
    }

    /// <summary>Whether the server knows no answer and names the servers of a zone below instead.</summary>
    internal bool IsReferral =>
        Code == DnsResponseCode.NOERROR && !IsAuthoritative && !IsRecursionAvailable && Answers.Count == 0
        && Authority.Any(record => record is NsRecord) && !Authority.Any(record => record is SoaRecord);
}
