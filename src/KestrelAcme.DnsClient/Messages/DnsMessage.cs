using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>A message that has been read, wholly and without error.</summary>
internal sealed class DnsMessage
{
    public required DnsHeader Header { get; init; }

    public DnsQuestion? Question { get; init; }

    public required IReadOnlyList<DnsRecord> Answers { get; init; }

    public required IReadOnlyList<DnsRecord> Authority { get; init; }

    /// <summary>The upper bits of the code where the message has an OPT record, else null.</summary>
    public byte? ExtendedCode { get; init; }

    public TsigRecord? Tsig { get; init; }

    public DnsResponseCode Code => (DnsResponseCode)((ExtendedCode ?? 0) << 4 | (int)Header.Code);
}
