namespace KestrelAcme.Protocol;

/// <summary>A rate of requests.</summary>
/// <param name="PerSecond">How many requests per second in the long run; more than zero.</param>
/// <param name="Burst">How many requests at once after a pause; at least one.</param>
public readonly record struct AcmeRate(double PerSecond, int Burst);
