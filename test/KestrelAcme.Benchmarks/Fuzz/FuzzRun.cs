using System.Diagnostics;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;

namespace KestrelAcme.Benchmarks.Fuzz;

/// <summary>Reads mutated ClientHellos for as long as is wanted.</summary>
internal static class FuzzRun
{
    public static int Run(TimeSpan duration)
    {
        var seed = Environment.TickCount;
        var mutator = new ClientHelloMutator(seed);
        var start = Stopwatch.GetTimestamp();
        long inputs = 0;
        while (Stopwatch.GetElapsedTime(start) < duration)
        {
            for (var i = 0; i < 10_000; i++, inputs++)
            {
                if (mutator.RunOne() is { } wrong)
                {
                    Console.WriteLine($"Seed {seed}, input {inputs}: {wrong}");
                    return 1;
                }
            }
        }

        Console.WriteLine($"Seed {seed}: {inputs:N0} inputs, nothing wrong.");
        foreach (var status in Enum.GetValues<ClientHelloStatus>())
        {
            Console.WriteLine($"  {status}: {mutator.Counts[(int)status]:N0}");
        }

        return 0;
    }
}
