using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Where simulations run: on the thread of the pool, with no synchronization context that would take them elsewhere.</summary>
internal static class Simulation
{
    public static Task RunAsync(Func<Task> simulation) => Task.Run(simulation, TestContext.Current.CancellationToken);
}
