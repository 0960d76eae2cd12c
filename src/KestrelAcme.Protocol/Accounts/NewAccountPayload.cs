using System.Text.Json;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>The payload of newAccount (RFC 8555 section 7.3).</summary>
internal sealed class NewAccountPayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public bool? OnlyReturnExisting { get; init; }

    public JsonElement? ExternalAccountBinding { get; init; }
}
