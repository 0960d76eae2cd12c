namespace KestrelAcme.Protocol.Transport;

/// <summary>What the Date header of an answer said, and how far it was from this machine's clock.</summary>
internal sealed record ServerClock(DateTimeOffset Date, TimeSpan Skew);
