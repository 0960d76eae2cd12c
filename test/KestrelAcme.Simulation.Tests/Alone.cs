using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A simulation moves the time when nothing is left to run in this process: nothing else may run beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
