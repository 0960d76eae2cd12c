using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Challenges;

namespace KestrelAcme.Certificates.Orders;

/// <summary>A challenge that was chosen from an authorization, and who answers it.</summary>
internal sealed record OpenChallenge(Uri AuthorizationUrl, ChallengeStatus Status, ChallengeContext Context, IChallengeHandler Handler);
