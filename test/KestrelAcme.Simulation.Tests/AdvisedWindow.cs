namespace KestrelAcme.Simulation.Tests;

/// <summary>A renewal window, and from when on it was advised.</summary>
internal sealed record AdvisedWindow(DateTimeOffset From, DateTimeOffset Start, DateTimeOffset End);
