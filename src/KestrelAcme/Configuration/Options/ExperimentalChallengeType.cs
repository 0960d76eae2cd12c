namespace KestrelAcme.Configuration;

/// <summary>A challenge type of a moving draft that the application asked for in code.</summary>
internal sealed record ExperimentalChallengeType(string Name);
