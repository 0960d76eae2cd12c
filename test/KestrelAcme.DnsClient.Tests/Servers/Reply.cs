using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Tests.Servers;

/// <summary>Writes responses, honest or not.</summary>
internal static class Reply
{
    public static byte[] To(
        byte[] request,
        DnsRecord[]? answers = null,
        DnsRecord[]? authority = null,
        DnsResponseCode code = DnsResponseCode.NOERROR,
        ushort flags = 0,
        bool edns = false,
        DnsQuestion? question = null)
    {
        DnsMessage asked = MessageReader.Read(request);
        answers ??= [];
        authority ??= [];
        var writer = new WireWriter();
        int all = DnsHeader.ResponseFlag | (asked.Header.Flags & 0x7900) | flags | (int)code;
        writer.Header(new DnsHeader(
            asked.Header.Id, (ushort)all, 1, (ushort)answers.Length, (ushort)authority.Length, edns ? (ushort)1 : (ushort)0));
        writer.Question(question ?? asked.Question!);
        foreach (DnsRecord record in answers.Concat(authority))
        {
            writer.Record(record);
        }

        if (edns)
        {
            writer.Record(DnsName.Root, DnsRecordType.OPT, 1232, 0, []);
        }

        return writer.ToArray();
    }

    public static byte[] HeaderOnly(byte[] request, DnsResponseCode code)
    {
        var writer = new WireWriter();
        writer.Header(new DnsHeader(MessageReader.Read(request).Header.Id, (ushort)(DnsHeader.ResponseFlag | (int)code), 0, 0, 0, 0));
        return writer.ToArray();
    }

    public static byte[] WithId(byte[] message, int id) => [(byte)(id >> 8), (byte)id, .. message[2..]];

    /// <summary>The message with its length prefix, as sent over TCP.</summary>
    public static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    public static AddressRecord Address(string name, string address) =>
        new(DnsName.Parse(name), TimeSpan.FromMinutes(1), System.Net.IPAddress.Parse(address));

    public static TxtRecord Txt(string name, string text) => new(DnsName.Parse(name), TimeSpan.FromMinutes(1), text);

    public static CnameRecord Cname(string name, string target) =>
        new(DnsName.Parse(name), TimeSpan.FromMinutes(1), DnsName.Parse(target));

    public static NsRecord Ns(string name, string server) => new(DnsName.Parse(name), TimeSpan.FromMinutes(1), DnsName.Parse(server));

    public static CaaRecord Caa(string name, string tag, string value) =>
        new(DnsName.Parse(name), TimeSpan.FromMinutes(1), flags: 0, tag, value);

    public static SoaRecord Soa(string name) => new(DnsName.Parse(name), TimeSpan.FromMinutes(1))
    {
        PrimaryServer = DnsName.Parse("ns1.example.test"),
        ResponsibleMailbox = DnsName.Parse("hostmaster.example.test"),
        Serial = 2026112101,
        Refresh = 3600,
        Retry = 600,
        Expire = 86400,
        Minimum = 60,
    };
}
