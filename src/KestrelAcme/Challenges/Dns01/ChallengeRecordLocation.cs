using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Where a record really belongs: behind all CNAMEs.</summary>
/// <param name="ChallengeName">The name that the authority asks for.</param>
/// <param name="Name">The name at the end of its CNAMEs.</param>
/// <param name="Zone">The zone that holds it.</param>
/// <param name="Servers">The zone's servers; empty where only the resolvers' word counts.</param>
internal sealed record ChallengeRecordLocation(DnsName ChallengeName, DnsName Name, DnsName Zone, IReadOnlyList<AuthoritativeServer> Servers)
{
    /// <summary>
    /// Why another zone may hold the name, as a sentence: no resolver had an answer for a name between. <see langword="null"/> when the
    /// zone is certain.
    /// </summary>
    public string? Doubt { get; init; }

    /// <summary>Why none of the zone's servers can be asked, although they should be.</summary>
    public string? WhyNoServers { get; init; }

    public DnsTxtRecord Record(string value) => new() { Zone = Text(Zone), Name = Text(Name), ChallengeName = Text(ChallengeName), Value = value };

    private static string Text(DnsName name) => name.ToString().ToLowerInvariant();
}
