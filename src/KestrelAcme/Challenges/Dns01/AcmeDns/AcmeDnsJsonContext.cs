using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AcmeDnsRegistration))]
[JsonSerializable(typeof(AcmeDnsUpdate))]
[JsonSerializable(typeof(AcmeDnsError))]
internal sealed partial class AcmeDnsJsonContext : JsonSerializerContext;

/// <summary>The registration of one name. The password is a secret; it is stored like account keys.</summary>
internal sealed record AcmeDnsRegistration
{
    [JsonRequired]
    public required string Username { get; init; }

    [JsonRequired]
    public required string Password { get; init; }

    [JsonRequired]
    public required string Subdomain { get; init; }

    /// <summary>The name that the CNAME must lead to.</summary>
    [JsonRequired]
    public required string Fulldomain { get; init; }

    public override string ToString() => Fulldomain;
}

/// <summary>A request to add a value. The server keeps the last two.</summary>
internal sealed record AcmeDnsUpdate(string Subdomain, string Txt);

/// <summary>An error response.</summary>
internal sealed record AcmeDnsError(string? Error);
