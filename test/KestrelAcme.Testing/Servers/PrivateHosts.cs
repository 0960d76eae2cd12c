using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Testing.Servers;

/// <summary>Gives one process an /etc/hosts of its own, with a mount namespace (root, Linux).</summary>
internal static class PrivateHosts
{
    private const string Script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";

    /// <summary>
    /// Skips the running test if a mount namespace cannot be created. Containers often forbid it, so this is never a failure.
    /// </summary>
    public static async Task RequireAsync(CancellationToken cancellationToken)
    {
        const string why = "This needs root and the right to make a mount namespace.";
        if (Executable.Find("unshare") is not { } unshare)
        {
            Assert.Skip(why);
            return;
        }

        using var folder = new TemporaryFolder();
        var command = Wrap(folder, [], ["true"]);
        var result = await Command.RunAsync(unshare, command.Skip(1), cancellationToken: cancellationToken);
        Assert.SkipUnless(result.ExitCode == 0, $"{why} {result.StandardError.Trim()}");
    }

    public static string[] Wrap(TemporaryFolder folder, IReadOnlyList<string> names, string[] command)
    {
        var hosts = folder.Write("hosts", $"127.0.0.1 localhost {string.Join(' ', names)}\n");
        return [Executable.Find("unshare") ?? "unshare", "--mount", "sh", "-c", Script, "sh", hosts, .. command];
    }
}
