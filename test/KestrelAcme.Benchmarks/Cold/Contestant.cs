using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>A server that is started, and what was measured.</summary>
/// <param name="Title">Its row in the table.</param>
/// <param name="Command">Its program and arguments.</param>
/// <param name="Environment">Its variables, for a folder to store in.</param>
/// <param name="RootPem">The root of the right certificate.</param>
/// <param name="IsDotNet">Whether it has the page /jit.</param>
/// <param name="Files">What of it is on the disk besides the shared framework.</param>
internal sealed record Contestant(
    string Title,
    string[] Command,
    Func<string, IReadOnlyDictionary<string, string?>> Environment,
    string RootPem,
    bool IsDotNet,
    IReadOnlyList<string> Files)
{
    public const string WithoutJit = "the app without us, JIT";
    public const string OursJit = "ours, JIT";
    public const string WithoutNative = "the app without us, NativeAOT";
    public const string OursNative = "ours, NativeAOT";
    public const string CaddyServer = "Caddy";

    public List<ColdStart> First { get; } = [];

    public List<ColdStart> Again { get; } = [];

    public List<ProcessMemory> AtRest { get; } = [];

    public List<ProcessMemory> Worked { get; } = [];

    public double Megabytes => Files.Sum(file => new FileInfo(file).Length) / 1048576.0;

    public ChildProcess Start(string store) => ChildProcess.Start(Command[0], Command.Skip(1), Environment(store), store);
}

/// <summary>One start of a server, up to its first handshake with the right certificate.</summary>
internal sealed record ColdStart(double Seconds, double ProcessorSeconds, int Methods, double JitSeconds);
