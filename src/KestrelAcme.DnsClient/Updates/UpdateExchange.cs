using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Transport;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>Sends one update and judges the answer.</summary>
internal sealed class UpdateExchange(DnsTransport transport, TimeProvider timeProvider)
{
    // The length prefix of TCP.
    private const int MaximumLength = ushort.MaxValue;

    /// <summary>Returns the code, which is NOERROR: any other one throws.</summary>
    public async Task<DnsResponseCode> SendAsync(IPEndPoint server, DnsUpdate update, TsigKey? key, CancellationToken cancellationToken)
    {
        ushort id = DnsRequest.NewId();
        byte[] bytes = update.Write(id);
        var signature = key is null ? null : TsigSignature.Of(bytes, key, timeProvider.GetUtcNow());
        bytes = signature?.SignedRequest ?? bytes;
        if (bytes.Length > MaximumLength)
        {
            throw new ArgumentException($"The update has {bytes.Length} octets; a message holds {MaximumLength}.", nameof(update));
        }

        var request = new DnsRequest(id, DnsOpCode.Update, new DnsQuestion(update.Zone, DnsRecordType.SOA), bytes);
        (DnsMessage message, byte[] answer) = await transport.SendOverTcpAsync(server, request, cancellationToken).ConfigureAwait(false);
        signature?.Verify(server, message, answer, timeProvider.GetUtcNow());
        return message.Code == DnsResponseCode.NOERROR
            ? message.Code
            : throw new DnsResponseCodeException(server, update.Zone, message.Code);
    }
}
