using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>What the server gave out for one name. The password is a secret; the store keeps it as it keeps account keys.</summary>
internal sealed record AcmeDnsRegistration
{
    [JsonRequired]
    public required string Username { get; init; }

    [JsonRequired]
    public required string Password { get; init; }

    [JsonRequired]
    public required string Subdomain { get; init; }

    /// <summary>The name that the CNAME has to lead to.</summary>
    [JsonRequired]
    public required string Fulldomain { get; init; }

    public override string ToString() => Fulldomain;
}
