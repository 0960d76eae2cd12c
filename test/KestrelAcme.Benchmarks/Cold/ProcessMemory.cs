using System.Globalization;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>A process's memory in MB: resident, and the part of it that no other process shares.</summary>
internal sealed record ProcessMemory(double Resident, double Private)
{
    public static ProcessMemory Of(int process)
    {
        var lines = File.ReadAllLines($"/proc/{process}/smaps_rollup");
        return new ProcessMemory(Read(lines, "Rss:"), Read(lines, "Private_Clean:") + Read(lines, "Private_Dirty:"));
    }

    private static double Read(string[] lines, string key)
        => double.Parse(
            lines.First(line => line.StartsWith(key, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024;
}
