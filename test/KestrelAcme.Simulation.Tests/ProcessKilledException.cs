namespace KestrelAcme.Simulation.Tests;

/// <summary>Code of a killed process went on: in the simulation only, and in vain.</summary>
internal sealed class ProcessKilledException() : Exception("The simulated process was killed.");
