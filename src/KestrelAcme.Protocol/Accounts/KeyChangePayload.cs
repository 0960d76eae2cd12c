using System.Text.Json;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>The inner payload of a key change (RFC 8555 section 7.3.5).</summary>
internal sealed class KeyChangePayload
{
    public required string Account { get; init; }

    public required JsonElement OldKey { get; init; }
}
