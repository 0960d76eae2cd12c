using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Simulations wait until the thread pool has nothing to do: nothing else may run beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
