using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Testing.Tests.Processes;

public sealed class ChildProcessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WaitForLineAsync_LineComes_ReturnsIt()
    {
        await using var process = Shell("echo one; echo two >&2; exec sleep 60");

        Assert.Equal("one", await process.WaitForLineAsync("on", cancellationToken: Cancellation));
        Assert.Equal("two", await process.WaitForLineAsync("tw", cancellationToken: Cancellation));
        Assert.False(process.HasExited);
    }

    [Fact]
    public async Task WaitForLineAsync_ProcessEnds_ThrowsWithItsOutput()
    {
        await using var process = Shell("echo broken; exit 3");

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => process.WaitForLineAsync("ready", cancellationToken: Cancellation));

        Assert.Contains("broken", exception.Message, StringComparison.Ordinal);
        Assert.Equal(3, await process.WaitForExitAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task WaitForLineAsync_NothingComes_TimesOut()
    {
        await using var process = Shell("exec sleep 60");

        await Assert.ThrowsAsync<TimeoutException>(() => process.WaitForLineAsync("ready", TimeSpan.FromMilliseconds(50), Cancellation));
    }

    [Fact]
    public async Task StopAsync_ProcessHandlesSigterm_EndsByItself()
    {
        await using var process = Shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        await process.WaitForLineAsync("ready", cancellationToken: Cancellation);

        Assert.True(await process.StopAsync(cancellationToken: Cancellation));

        Assert.Equal(0, process.ExitCode);
        Assert.Contains("bye", process.Lines);
    }

    [Fact]
    public async Task StopAsync_ProcessIgnoresSigterm_IsKilled()
    {
        await using var process = Shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        await process.WaitForLineAsync("ready", cancellationToken: Cancellation);

        Assert.False(await process.StopAsync(TimeSpan.FromMilliseconds(100), Cancellation));

        Assert.Equal(137, process.ExitCode);
    }

    [Fact]
    public async Task DisposeAsync_Running_LeavesNoProcess()
    {
        var process = Shell("exec sleep 60");
        var id = process.Id;

        await process.DisposeAsync();

        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(id));
    }

    private static ChildProcess Shell(string script) => ChildProcess.Start("/bin/sh", ["-c", script]);
}
