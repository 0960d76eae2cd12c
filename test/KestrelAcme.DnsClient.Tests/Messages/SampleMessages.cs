using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.DnsClient.Transport;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Tests.Messages;

/// <summary>Well-formed messages of every kind.</summary>
internal static class SampleMessages
{
    private static readonly DnsName Host = DnsName.Parse("www.example.test");

    public static TsigKey Key { get; } = new(DnsName.Parse("key.test"), TsigAlgorithm.HmacSha256, "c2VjcmV0IHNlY3JldCBzZWNyZXQ=");

    public static byte[] Header(int questions = 0, int answers = 0, int additional = 0)
    {
        var writer = new WireWriter();
        writer.Header(new DnsHeader(0x1234, 0x8400, (ushort)questions, (ushort)answers, 0, (ushort)additional));
        return writer.ToArray();
    }

    public static byte[] Query() => DnsRequest.Query(new DnsQuestion(Host, DnsRecordType.A), recursionDesired: true, edns: true).Bytes;

    public static byte[] AllTypes() => Reply.To(
        Query(),
        [
            Reply.Address("www.example.test", "192.0.2.1"),
            Reply.Address("www.example.test", "2001:db8::1"),
            Reply.Cname("alias.example.test", "www.example.test"),
            Reply.Txt("www.example.test", new string('x', 600)),
            Reply.Caa("www.example.test", "issue", "ca.test; accounturi=x"),
            new OpaqueRecord(Host, (DnsRecordType)99, TimeSpan.Zero, new byte[] { 1, 2, 3 }),
        ],
        [Reply.Soa("example.test"), Reply.Ns("example.test", "ns1.example.test")],
        edns: true);

    public static byte[] Compressed() =>
    [
        .. Header(questions: 1, answers: 2),
        .. Convert.FromHexString("03777777076578616d706c6504746573740000010001"),
        .. Convert.FromHexString("c00c000500010000003c000603776562c010"),
        .. Convert.FromHexString("c02e000100010000003c0004c0000201"),
    ];

    public static byte[] SignedUpdate()
    {
        byte[] update = new DnsUpdate(DnsName.Parse("example.test"))
            .Add(Reply.Txt("_acme-challenge.example.test", "value"))
            .Delete(Reply.Txt("_acme-challenge.example.test", "other"))
            .Write(0x4321);
        return TsigSignature.Of(update, Key, DateTimeOffset.UnixEpoch.AddYears(56)).SignedRequest;
    }
}
