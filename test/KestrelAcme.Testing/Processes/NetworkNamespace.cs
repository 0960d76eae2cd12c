using Xunit;

namespace KestrelAcme.Testing.Processes;

/// <summary>
/// Runs a test in a network of its own: a process with new network and mount namespaces, from which nothing leaves the machine. The
/// network disappears with the process.
/// </summary>
/// <remarks>
/// In addition to loopback there are 10.77.0.2 and fd77::2, which drop all packets, and 10.77.1.2, which is this machine, too.
/// </remarks>
public static class NetworkNamespace
{
    private const string Variable = "KESTRELACME_TEST_NAMESPACE";

    private const string SetUp = """
        ip link set lo up
        ip link add hole0 type veth peer name hole1
        ip address add 10.77.0.1/24 dev hole0
        ip -6 address add fd77::1/64 dev hole0 nodad
        ip link set hole0 up
        ip link set hole1 up
        for gone in 10.77.0.2 fd77::2; do
          ip neighbor add $gone lladdr 02:00:00:00:00:02 dev hole0 nud permanent
        done
        ip address add 10.77.1.2/32 dev lo
        mount --bind "$1" /etc/hosts
        shift
        exec "$@"
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Whether this process is already in such a network, so that the test runs its body.</summary>
    public static bool IsInside => Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>
    /// Runs the calling test again in such a network, and fails if it fails there. Skips the test, with the reason, if namespaces cannot be
    /// created.
    /// </summary>
    /// <param name="hosts">The content of the hosts file, with a line for each address.</param>
    /// <param name="cancellationToken">The test's token.</param>
    public static async Task RunThisTestAsync(string hosts, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Network namespaces are a feature of Linux.");
        }

        RequireServer.Installed("ip", "iproute2");
        RequireServer.Installed("unshare", "util-linux");
        using var folder = new TemporaryFolder();
        var file = folder.Write("hosts", hosts);
        var trial = await Command.RunAsync("unshare", [.. Prefix(file), "true"], cancellationToken: cancellationToken);
        if (trial.ExitCode != 0)
        {
            RequireServer.Missing($"Network namespaces cannot be made here: {trial.Output.Trim()}");
        }

        var test = TestContext.Current.TestMethod!;
        var program = Environment.ProcessPath!;
        string[] self = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [program, "exec", Environment.GetCommandLineArgs()[0]]
            : [program];
        await using var process = ChildProcess.Start(
            "unshare",
            [.. Prefix(file), .. self, "-method", $"{test.TestClass.TestClassName}.{test.MethodName}"],
            new Dictionary<string, string?> { [Variable] = "1" });
        var code = await process.WaitForExitAsync(Limit, cancellationToken);
        Assert.True(code == 0 && process.Output.Contains("Failed: 0", StringComparison.Ordinal), process.Output);
    }

    private static string[] Prefix(string hosts) => ["--net", "--mount", "--", "sh", "-ec", SetUp, "sh", hosts];
}
