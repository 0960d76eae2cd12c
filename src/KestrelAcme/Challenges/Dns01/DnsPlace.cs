using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Authority;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Where a record really belongs: behind all CNAMEs.</summary>
/// <param name="ChallengeName">The name that the authority asks for.</param>
/// <param name="Name">The name at the end of its CNAMEs.</param>
/// <param name="Zone">The zone that holds it.</param>
/// <param name="Servers">The zone's servers; empty where only the resolvers' word counts.</param>
internal sealed record DnsPlace(DnsName ChallengeName, DnsName Name, DnsName Zone, IReadOnlyList<AuthoritativeServer> Servers)
{
    public DnsTxtRecord Record(string value) => new() { Zone = Text(Zone), Name = Text(Name), ChallengeName = Text(ChallengeName), Value = value };

    private static string Text(DnsName name) => name.ToString().ToLowerInvariant();
}
