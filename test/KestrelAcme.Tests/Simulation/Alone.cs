using Xunit;

namespace KestrelAcme.Tests.Simulation;

/// <summary>Simulations wait until the thread pool has nothing to do: nothing else may run beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
