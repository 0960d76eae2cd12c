using System.Text.Json;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>RFC 8555 section 7.3.</summary>
internal sealed record NewAccountPayload
{
    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    public bool? OnlyReturnExisting { get; init; }

    public JsonElement? ExternalAccountBinding { get; init; }
}
