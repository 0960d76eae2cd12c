using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing.Processes;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>Other users, clean-up programs, and files that volumes contain besides the store's.</summary>
public sealed class HostileFolderTests : IAsyncDisposable
{
    private readonly FileSystemFixture _fixture = new();

    public HostileFolderTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Owners, pipes and devices are looked at on Linux.");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ln -s /dev/zero", "symbolic link")]
    [InlineData("ln -s /etc/hostname", "symbolic link")]
    [InlineData("ln -s /nonexistent", "symbolic link")]
    [InlineData("mkfifo", "pipe")]
    public async Task ReadAsync_NoRegularFile_IsRefusedAtOnce(string command, string reason)
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a/b", new byte[1], cancellationToken: Token);
        await ShellAsync($"{command} {_fixture.Root}/a/c");

        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.ReadAsync("a/c", Token).AsTask().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token));

        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains("regular files only", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_LinkInThePlaceOfTheValue_ReplacesTheLinkAndNotItsTarget()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a/b", "old"u8.ToArray(), cancellationToken: Token);
        var victim = _fixture.Root + ".victim";
        await File.WriteAllTextAsync(victim, "mine", Token);
        await ShellAsync($"ln -sfn {victim} {_fixture.Root}/a/b");

        await storage.WriteAsync("a/b", "new"u8.ToArray(), cancellationToken: Token);

        Assert.Equal("mine", await File.ReadAllTextAsync(victim, Token));
        Assert.Equal("new"u8.ToArray(), (await storage.ReadAsync("a/b", Token))!.Value.ToArray());
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("lease")]
    public async Task TryAcquireLeaseAsync_LinkInThePlaceOfItsFile_LeavesTheTargetAlone(string file)
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        var victim = _fixture.Root + ".victim";
        const string Content = "what somebody else needs, longer than a number";
        await File.WriteAllTextAsync(victim, Content, Token);
        await ShellAsync($"mkdir -p {_fixture.Root}/~leases && ln -s {victim} {_fixture.Root}/~leases/b~{file}");

        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.TryAcquireLeaseAsync("b", TimeSpan.FromMinutes(1), Token));

        Assert.Equal(Content, await File.ReadAllTextAsync(victim, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_DanglingLink_MakesNoFileElsewhere()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await ShellAsync($"mkdir -p {_fixture.Root}/~leases && ln -s {_fixture.Root}.elsewhere {_fixture.Root}/~leases/b~lock");

        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.TryAcquireLeaseAsync("b", TimeSpan.FromMinutes(1), Token));

        Assert.False(File.Exists(_fixture.Root + ".elsewhere"));
    }

    [Fact]
    public async Task FirstWrite_WorldWritableFolders_AreTightenedAndLogged()
    {
        await ShellAsync($"mkdir -p {_fixture.Root}/certificates && chmod 777 {_fixture.Root} && chmod 770 {_fixture.Root}/certificates");
        var storage = _fixture.OpenFileSystem();

        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);

        Assert.Equal("700", Mode(_fixture.Root));
        Assert.Equal("750", Mode(Path.Join(_fixture.Root, "certificates")));
        Assert.Equal(2, _fixture.Log.Lines.Count(l => l is { Event.Name: "FolderTightened", Level: LogLevel.Warning }));
    }

    [Fact]
    public async Task FirstWrite_FolderOfAnotherUser_IsLogged()
    {
        SkipUnlessRoot();
        await ShellAsync($"mkdir -p {_fixture.Root} && chown 65534 {_fixture.Root} && chmod 755 {_fixture.Root}");
        var storage = _fixture.OpenFileSystem();

        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);

        Assert.Contains(
            _fixture.Log.Lines, l => l.Event.Name == "StoreOfAnotherUser" && l.Message.Contains("65534", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FirstWrite_WorldWritableFolderOfAnotherUser_IsRefused()
    {
        SkipUnlessRoot();
        await ShellAsync($"mkdir -p {_fixture.Root} && chown 65534 {_fixture.Root} && chmod 777 {_fixture.Root}");
        var storage = _fixture.OpenFileSystem();

        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a", new byte[1], cancellationToken: Token));

        Assert.Contains("mode 777", exception.Message, StringComparison.Ordinal);
        Assert.Contains("chown", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Join(_fixture.Root, "a")));
    }

    [Fact]
    public async Task WriteAsync_FolderIsALinkOfAnotherUser_IsRefused()
    {
        SkipUnlessRoot();
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await ShellAsync(
            $"mkdir {_fixture.Root}.elsewhere && ln -s {_fixture.Root}.elsewhere {_fixture.Root}/certificates "
            + $"&& chown -h 65534 {_fixture.Root}/certificates");

        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("certificates/a.pem", new byte[1], cancellationToken: Token));

        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Root + ".elsewhere"));
    }

    [Fact]
    public async Task ListAndWatch_InaccessibleFolders_AreSkippedAndLoggedOnce()
    {
        SkipUnlessRoot();
        SkipUnlessOthersReach(Path.GetTempPath());
        var storage = _fixture.Open();
        await storage.WriteAsync("certificates/a.pem", new byte[1], cancellationToken: Token);
        await ShellAsync(
            $"cd {_fixture.Root} && mkdir -p lost+found .snapshot certificates/old certificates/readable "
            + "&& echo x > certificates/readable/b.pem && chmod 000 lost+found .snapshot certificates/old "
            + "&& chown -R 65534 certificates .snapshot && chown 0 certificates/old && chmod 755 . .. && chmod 755 certificates");

        var result = await Command.RunAsync(
            "setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", .. StorageChildProcess.Command("list", _fixture.Root, "certificates/")],
            cancellationToken: Token);

        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Equal(
            ["certificates/a.pem", "certificates/readable/b.pem", "passed over 1", "watched"],
            result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RenewAsync_RecordDeleted_IsRestored()
    {
        var storage = _fixture.OpenFileSystem();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        File.Delete(Path.Join(_fixture.Root, "~leases", "a~lease"));

        await storage.WriteAsync("b", new byte[1], lease, Token);
        Assert.True(await lease!.RenewAsync(Token));
        Assert.Null(await _fixture.Open().TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token));
        Assert.Contains(_fixture.Log.Lines, l => l.Event.Name == "LeaseRestored");
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_RecordDeletedWhileHeld_Null()
    {
        var storage = _fixture.OpenFileSystem();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        File.Delete(Path.Join(_fixture.Root, "~leases", "a~lease"));
        Assert.Null(await _fixture.Open().TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token));
        Assert.True(await lease!.RenewAsync(Token));
    }

    [Fact]
    public async Task RenewAsync_ClaimDeletedAndLeaseReacquired_IsLost()
    {
        var storage = _fixture.OpenFileSystem();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Directory.Delete(Path.Join(_fixture.Root, "~claims"), recursive: true);
        await using var other = await _fixture.Open().TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);

        Assert.NotNull(other);
        Assert.True(other.FencingNumber > lease!.FencingNumber);
        Assert.False(await lease.RenewAsync(Token));
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("b", new byte[1], lease, Token));
    }

    [Fact]
    public async Task Lease_OwnersDeleted_IsKeptAndReleased()
    {
        var storage = _fixture.OpenFileSystem();
        var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Directory.Delete(Path.Join(_fixture.Root, "~owners"), recursive: true);

        await storage.WriteAsync("b", new byte[1], cancellationToken: Token);
        Assert.True(await lease!.RenewAsync(Token));
        await lease.DisposeAsync();

        await using var next = await _fixture.Open().TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(next);
        Assert.DoesNotContain(_fixture.Log.Lines, l => l.Event.Name == "StoreWasEmptied");
    }

    [Fact]
    public async Task Lease_OwnersDeletedAndNothingWrittenSince_IsReleased()
    {
        var storage = _fixture.OpenFileSystem();
        var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Directory.Delete(Path.Join(_fixture.Root, "~owners"), recursive: true);

        await lease!.DisposeAsync();

        await using var next = await _fixture.Open().TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(next);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private static void SkipUnlessRoot()
        => Assert.SkipUnless(Environment.IsPrivilegedProcess, "It needs root, to give files to another user.");

    private static void SkipUnlessOthersReach(string folder)
    {
        for (var current = new DirectoryInfo(folder); current is not null; current = current.Parent)
        {
            Assert.SkipUnless(
                current.UnixFileMode.HasFlag(UnixFileMode.OtherExecute),
                $"The other user of this test cannot reach {folder}: {current} is closed to others.");
        }
    }

    private static async Task ShellAsync(string command)
    {
        var result = await Command.RunAsync("sh", ["-c", command], cancellationToken: Token);
        Assert.True(result.ExitCode == 0, result.StandardError);
    }

    private static string Mode(string path) => Convert.ToString((int)FileNode.Of(path)!.Value.Mode, 8);
}
