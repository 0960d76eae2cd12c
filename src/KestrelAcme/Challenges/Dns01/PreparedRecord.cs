using KestrelAcme.Challenges.Dns01.Providers;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>A record that was created for a challenge, or was about to be.</summary>
internal sealed record PreparedRecord(ChallengeRecordLocation Place, DnsTxtRecord Record, DnsProviderEntry Provider, long CreatedAt);
