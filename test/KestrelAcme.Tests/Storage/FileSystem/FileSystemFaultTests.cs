using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>"Unavailable" is never reported as "missing", and the message contains the fix.</summary>
public sealed class FileSystemFaultTests : IAsyncDisposable
{
    private readonly FileSystemFixture _fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnyMember_RootIsAFile_Unavailable()
    {
        await File.WriteAllTextAsync(_fixture.Root, "a file", Token);
        var storage = _fixture.Open();
        await AssertUnavailableAsync(
            async () => await storage.WriteAsync("a", new byte[1], cancellationToken: Token),
            _fixture.Root,
            "is a file, but must be a folder");
        await AssertUnavailableAsync(async () => await storage.ReadAsync("a", Token), "is a file, but must be a folder");
        await AssertUnavailableAsync(
            async () => await storage.ReadManyAsync(["a"], Token).ToListAsync(Token), "is a file, but must be a folder");
        await AssertUnavailableAsync(async () => await storage.ListAsync("", Token).ToListAsync(Token), _fixture.Root);
        await AssertUnavailableAsync(async () => await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token), _fixture.Root);
        var report = await storage.CheckAsync(Token);
        Assert.False(report.Readable);
        Assert.False(report.Writable);
        Assert.Contains(_fixture.Root, report.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_ParentKeyIsAValue_Unavailable()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await AssertUnavailableAsync(
            async () => await storage.WriteAsync("a/b", new byte[1], cancellationToken: Token), "is a file, but must be a folder");
        await AssertUnavailableAsync(async () => await storage.ReadAsync("a/b", Token), "is a file, but must be a folder");
    }

    [Fact]
    public async Task AnyMember_FolderInsteadOfValue_Unavailable()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a/b", new byte[1], cancellationToken: Token);
        await AssertUnavailableAsync(
            async () => await storage.WriteAsync("a", new byte[1], cancellationToken: Token), "it is a folder, but must be a file");
        await AssertUnavailableAsync(async () => await storage.ReadAsync("a", Token), "it is a folder, but must be a file");
        await AssertUnavailableAsync(
            async () => await storage.DeleteAsync("a", cancellationToken: Token), "it is a folder, but must be a file");
    }

    [Fact]
    public async Task ReadAsync_FileLargerThanAValue_UnavailableNotRead()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await using (var file = File.OpenWrite(Path.Join(_fixture.Root, "a")))
        {
            file.SetLength(StorageKey.MaxValueLength + 1L);
        }

        await AssertUnavailableAsync(async () => await storage.ReadAsync("a", Token), "16777217 bytes");
    }

    [Fact]
    public async Task ReadAsync_RootGoneAfterItWasUsed_UnavailableNotMissing()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await storage.Sweep;
        Directory.Move(_fixture.Root, _fixture.Root + ".away");
        await AssertUnavailableAsync(async () => await storage.ReadAsync("a", Token), "no longer there");
        await AssertUnavailableAsync(async () => await storage.ListAsync("", Token).ToListAsync(Token), "no longer there");

        Directory.Move(_fixture.Root + ".away", _fixture.Root);
        Assert.NotNull(await storage.ReadAsync("a", Token));
    }

    [Fact]
    public async Task WriteAsync_StoreEmptied_ContinuesAndLogsIt()
    {
        var storage = _fixture.OpenFileSystem();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        await storage.Sweep;
        Directory.Delete(_fixture.Root, recursive: true);
        await storage.WriteAsync("b", new byte[1], cancellationToken: Token);
        Assert.NotNull(await storage.ReadAsync("b", Token));
        Assert.Contains(_fixture.Log.Lines, entry => entry.Event.Name == "StoreWasEmptied");
        Assert.False(await lease!.RenewAsync(Token));
    }

    [Fact]
    public async Task AnyMember_ReadOnlyFileSystem_ReadsAndSaysWhatToDo()
    {
        await PrepareAsync();
        var child = await RunMountedAsync(
            $"mount --bind '{_fixture.Root}' '{_fixture.Root}' && mount -o remount,ro,bind '{_fixture.Root}'", "check", _fixture.Root);
        Assert.Contains("readable=True writable=False", child, StringComparison.Ordinal);
        Assert.Contains("read=3", child, StringComparison.Ordinal);
        Assert.Contains("write: Could not write to", child, StringComparison.Ordinal);
        Assert.Contains("lease: Could not write to", child, StringComparison.Ordinal);
        Assert.Contains("the file system is read-only", child, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_DiskFull_KeepsWhatWasStoredAndWorksAgain()
    {
        await PrepareAsync();
        var child = await RunMountedAsync($"mount -t tmpfs -o size=400k tmpfs '{_fixture.Root}'", "fill", _fixture.Root);
        Assert.Contains("full=Could not write", child, StringComparison.Ordinal);
        Assert.Contains("the disk or the quota is full", child, StringComparison.Ordinal);
        var numbers = System.Text.RegularExpressions.Regex.Match(child, @"written=(\d+) found=(\d+) .*again=True");
        Assert.True(numbers.Success, child);
        Assert.Equal(numbers.Groups[1].Value, numbers.Groups[2].Value);
    }

    [Fact]
    public async Task Release_DiskFull_LeaseIsFreeAtOnce()
    {
        await PrepareAsync();
        var child = await RunMountedAsync($"mount -t tmpfs -o size=400k tmpfs '{_fixture.Root}'", "full", _fixture.Root, "orders/a");
        Assert.Contains("the disk or the quota is full", child, StringComparison.Ordinal);
        Assert.Contains("claims=0 again=True grows=True", child, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FirstWrite_DiskFull_LeavesNoFilesOfItsAttempts()
    {
        Directory.CreateDirectory(_fixture.Root);
        var child = await RunMountedAsync(
            $"mount -t tmpfs -o size=64k tmpfs '{_fixture.Root}' && {{ cat /dev/zero > '{_fixture.Root}/filler' || true; }}",
            "check",
            _fixture.Root);
        Assert.Contains("lease: Could not write to", child, StringComparison.Ordinal);
        Assert.Contains("owners=0", child, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_ShareHangsOrIsDown_NobodyHangsWithItAndNothingIsMissing()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "This machine cannot mount a file system of a process.");
        var child = await RunMountedAsync("true", "share", _fixture.Root);
        foreach (var call in new[] { "read", "write", "delete", "lease", "list", "check" })
        {
            Assert.Contains($"\n{call}: The store did not respond within 1 s", $"\n{child}", StringComparison.Ordinal);
        }

        Assert.Contains("delay: fine", child, StringComparison.Ordinal);
        Assert.Contains("dispose: fine", child, StringComparison.Ordinal);
        foreach (var call in new[] { "read", "write", "delete", "lease", "list" })
        {
            Assert.Contains($"{call} at the start: Could not ", child, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("already exists", child, StringComparison.Ordinal);
        Assert.Contains("renew: Could not renew the lease", child, StringComparison.Ordinal);
        Assert.Contains("lost=False", child, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 15)]
    [InlineData(8, 0)]
    public async Task WatchDelay_SystemRefusesToNotify_IsThatOfTheScans(int allowed, int delay)
    {
        await PrepareAsync();
        SkipUnlessRoot();
        var limit = "/proc/sys/user/max_inotify_instances";
        var command = string.Join(' ', StorageChildProcess.Command("delay", _fixture.Root).Select(argument => $"'{argument}'"));
        var script = $"echo {allowed} > {limit} && echo limited && {command}";
        var result = await Command.RunAsync(
            "unshare", ["--user", "--map-root-user", "sh", "-c", script], cancellationToken: Token);
        Assert.SkipUnless(result.Output.Contains("limited", StringComparison.Ordinal), "This container has no user namespaces.");
        Assert.Contains($"delay={delay}", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_NotPermitted_UnavailableNotMissing()
    {
        await PrepareAsync();
        var command = StorageChildProcess.Command("check", _fixture.Root);
        SkipUnlessRoot();
        var result = await Command.RunAsync(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", .. command], cancellationToken: Token);
        Assert.Contains("readable=False writable=False", result.Output, StringComparison.Ordinal);
        Assert.Contains("read: Could not read", result.Output, StringComparison.Ordinal);
        Assert.Contains("permission denied", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_LocksDoNotWork_NoOwnerCountsAsDead()
    {
        using var holder = new FileSystemStorage(_fixture.Root, TimeProvider.System, _fixture.Log.For<FileSystemStorage>());
        await using var lease = await holder.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        var command = StorageChildProcess.Command("hold", _fixture.Root, "a");
        await using var child = ChildProcess.Start(
            command[0], command.Skip(1), new Dictionary<string, string?> { ["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1" });
        await child.WaitForLineAsync("refused", cancellationToken: Token);
        Assert.True(await lease!.RenewAsync(Token));
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private static async Task AssertUnavailableAsync(Func<Task> action, params string[] words)
    {
        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(action);
        Assert.All(words, word => Assert.Contains(word, exception.Message, StringComparison.Ordinal));
    }

    private static void SkipUnlessRoot()
        => Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Only root can mount and become another user.");

    private async Task PrepareAsync()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", new byte[3], cancellationToken: Token);
        await storage.Sweep;
        storage.Dispose();
    }

    // In its own mount namespace, which ends with the process.
    private async Task<string> RunMountedAsync(string mount, params string[] arguments)
    {
        SkipUnlessRoot();
        var probe = await Command.RunAsync("unshare", ["--mount", "true"], cancellationToken: Token);
        Assert.SkipUnless(probe.ExitCode == 0, "This container may not mount.");
        var command = string.Join(' ', StorageChildProcess.Command(arguments).Select(argument => $"'{argument}'"));
        var script = $"{mount} && {command}; echo owners=$(ls '{_fixture.Root}/~owners' | wc -l)";
        var result = await Command.RunAsync("unshare", ["--mount", "sh", "-c", script], cancellationToken: Token);
        return result.Output;
    }
}
