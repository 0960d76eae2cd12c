using System.Globalization;
using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Where simulations run: on the thread of the pool, with no synchronization context that would take them elsewhere.</summary>
internal static class Simulation
{
    /// <summary>A number that may be set by hand in the environment, to try other weather or to look at a shorter time.</summary>
    public static int Number(string name, int otherwise)
        => Environment.GetEnvironmentVariable($"SIMULATION_{name}") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public static Task RunAsync(Func<Task> simulation) => Task.Run(simulation, TestContext.Current.CancellationToken);
}
