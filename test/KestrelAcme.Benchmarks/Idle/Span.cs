using System.Diagnostics;

namespace KestrelAcme.Benchmarks.Idle;

/// <summary>What this process spent from here on.</summary>
internal sealed class Span
{
    private readonly TimeSpan _processor = Environment.CpuUsage.TotalTime;
    private readonly long _allocated = GC.GetTotalAllocatedBytes();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TimeSpan Elapsed => _clock.Elapsed;

    public override string ToString()
    {
        var (used, elapsed) = (Environment.CpuUsage.TotalTime - _processor, _clock.Elapsed);
        return $"{used.TotalMilliseconds:0} ms of processor time in {elapsed.TotalSeconds:0.000} s ({used / elapsed:P2}), "
            + $"{(GC.GetTotalAllocatedBytes() - _allocated) / 1048576.0:0.0} MB allocated";
    }
}
