using Xunit;

namespace KestrelAcme.Tests;

/// <summary>Tests that measure time: they run while no other test of the project does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
