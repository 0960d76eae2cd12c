using System.Reflection;
using BenchmarkDotNet.Running;
using KestrelAcme.Benchmarks.Cold;
using KestrelAcme.Benchmarks.Fuzz;
using KestrelAcme.Benchmarks.Handshakes;
using KestrelAcme.Benchmarks.Idle;
using KestrelAcme.Benchmarks.Memory;
using KestrelAcme.Benchmarks.OnDemand;
using KestrelAcme.Benchmarks.Start;
using KestrelAcme.Benchmarks.Status;

switch (args.FirstOrDefault())
{
    case "handshakes":
        return await HandshakeComparison.RunAsync(args.Length > 1 ? int.Parse(args[1]) : 20);
    case "client":
        return await HandshakeClient.RunAsync();
    case "memory":
        return await MemoryReport.RunAsync(args[1..]);
    case "cold":
        return await ColdReport.RunAsync(args[1..]);
    case "start":
        return await StartReport.RunAsync(args[1..]);
    case "idle":
        return await IdleReport.RunAsync(args.Length > 1 ? int.Parse(args[1]) : 100_000);
    case "status":
        return await StatusPageReport.RunAsync();
    case "ondemand":
        return await OnDemandReport.RunAsync(args[1..]);
    case "fuzz":
        return FuzzRun.Run(TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1]) : 60));
    default:
        BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
        return 0;
}
