using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>File modes, leftovers, and files in the wrong place.</summary>
public sealed class FileSystemFilesTests : IAsyncDisposable
{
    private readonly FileSystemFixture _fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_OnUnix_FilesAreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has access lists.");
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("certificates/a.pem", "x"u8.ToArray(), cancellationToken: Token);
        await using var lease = await storage.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(1), Token);
        await storage.Sweep;

        var files = Directory.GetFiles(_fixture.Root, "*", SearchOption.AllDirectories);
        Assert.True(files.Length >= 4);
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, ModeOf(file)));
        Assert.All(
            Directory.GetDirectories(_fixture.Root, "*", SearchOption.AllDirectories).Append(_fixture.Root),
            folder => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, ModeOf(folder)));
    }

    [Fact]
    public async Task WriteAsync_Text_StaysReadable()
    {
        const string Pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n";
        await _fixture.Open().WriteAsync("certificates/a.pem", System.Text.Encoding.ASCII.GetBytes(Pem), cancellationToken: Token);
        Assert.Equal(Pem, await File.ReadAllTextAsync(Path.Join(_fixture.Root, "certificates", "a.pem"), Token));
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead, "604")]
    [InlineData(UnixFileMode.GroupRead, "640")]
    public async Task ReadAsync_FileReadableByOthers_WarnsOnceWithTheCommand(UnixFileMode extra, string mode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has access lists.");
        var storage = _fixture.Open();
        await storage.WriteAsync("a.pem", "x"u8.ToArray(), cancellationToken: Token);
        await storage.ReadAsync("a.pem", Token);
        Assert.Empty(_fixture.Log.Lines);
        var path = Path.Join(_fixture.Root, "a.pem");
        SetMode(path, extra);

        await storage.ReadAsync("a.pem", Token);
        await storage.ReadManyAsync(["a.pem"], Token).ToListAsync(Token);
        var warning = Assert.Single(_fixture.Log.Lines);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains($"chmod 600 '{path}'", warning.Message, StringComparison.Ordinal);
        Assert.Contains(mode, warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_ManyFilesReadableByOthers_WarningsAreBounded()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has access lists.");
        var storage = _fixture.Open();
        for (var i = 0; i < 40; i++)
        {
            await storage.WriteAsync($"a/{i}", "x"u8.ToArray(), cancellationToken: Token);
            SetMode(Path.Join(_fixture.Root, "a", $"{i}"), UnixFileMode.OtherRead);
            await storage.ReadAsync($"a/{i}", Token);
        }

        Assert.Equal(17, _fixture.Log.Lines.Count);
        Assert.Equal("MoreFilesReadableByOthers", _fixture.Log.Lines.Last().Event.Name);
    }

    [Fact]
    public async Task FirstWrite_LeftoversOfDeadWriters_AreSweptAndOthersKept()
    {
        var first = _fixture.OpenFileSystem();
        await first.WriteAsync("a/b", "x"u8.ToArray(), cancellationToken: Token);
        var living = Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Join(_fixture.Root, "~owners"))));
        const string Dead = "0123456789abcdef0123456789abcdef";
        await File.WriteAllTextAsync(Path.Join(_fixture.Root, "~owners", Dead), Domain + "\n", Token);
        var now = _fixture.Time.GetUtcNow().UtcDateTime;
        var ofDead = MakeLeftover(Dead, now.AddMinutes(-1));
        var ofUnknown = MakeLeftover("ffffffffffffffffffffffffffffffff", now.AddMinutes(-59));
        var old = MakeLeftover("ffffffffffffffffffffffffffffffff", now.AddMinutes(-61));
        var ofLiving = MakeLeftover(living, now.AddMinutes(-59));
        var foreign = Path.Join(_fixture.Root, "a", "~notes.tmp");
        await File.WriteAllTextAsync(foreign, "mine", Token);
        File.SetLastWriteTimeUtc(foreign, now.AddYears(-1));

        var second = _fixture.OpenFileSystem();
        await second.WriteAsync("c", "x"u8.ToArray(), cancellationToken: Token);
        await second.Sweep;
        Assert.False(File.Exists(ofDead));
        Assert.False(File.Exists(old));
        Assert.True(File.Exists(ofUnknown));
        Assert.True(File.Exists(ofLiving));
        Assert.True(File.Exists(foreign));
        Assert.Equal(["a/b", "c"], (await second.ListAsync("", Token).ToListAsync(Token)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task FirstWrite_DeadOwners_AreRemovedADayAfterTheirDeathWasNoticed()
    {
        var owners = Path.Join(_fixture.Root, "~owners");
        Directory.CreateDirectory(owners);
        var dead = Path.Join(owners, "0123456789abcdef0123456789abcdef");
        await File.WriteAllTextAsync(dead, Domain + "\n", Token);
        File.SetLastWriteTimeUtc(dead, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await StartAndSweepAsync();
        Assert.EndsWith("dead\n", await File.ReadAllTextAsync(dead, Token), StringComparison.Ordinal);

        File.SetLastWriteTimeUtc(dead, _fixture.Time.GetUtcNow().UtcDateTime.AddHours(-23));
        await StartAndSweepAsync();
        Assert.True(File.Exists(dead));

        File.SetLastWriteTimeUtc(dead, _fixture.Time.GetUtcNow().UtcDateTime.AddHours(-24));
        await StartAndSweepAsync();
        Assert.False(File.Exists(dead));
    }

    [Fact]
    public async Task Dispose_Always_RemovesTheOwnersFile()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", "x"u8.ToArray(), cancellationToken: Token);
        await storage.Sweep;
        storage.Dispose();
        storage.Dispose();
        Assert.Empty(Directory.GetFiles(Path.Join(_fixture.Root, "~owners")));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await storage.WriteAsync("a", "x"u8.ToArray(), cancellationToken: Token));
    }

    [Fact]
    public async Task ListAsync_ForeignFiles_AreSkipped()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a/b", "x"u8.ToArray(), cancellationToken: Token);
        Directory.CreateDirectory(Path.Join(_fixture.Root, "lost+found"));
        foreach (var name in new[] { ".DS_Store", "a/Thumbs.db", "a/.nfs000000000000abcd00000001", "lost+found/x", "a/b c", "~x~" })
        {
            await File.WriteAllTextAsync(Path.Join(_fixture.Root, name), "x", Token);
        }

        Assert.Equal(["a/b"], await storage.ListAsync("", Token).ToListAsync(Token));
    }

    [Fact]
    public async Task ListAsync_LinkInACircle_Ends()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets no ordinary user make links.");
        var storage = _fixture.Open();
        await storage.WriteAsync("a/b", "x"u8.ToArray(), cancellationToken: Token);
        Directory.CreateSymbolicLink(Path.Join(_fixture.Root, "a", "circle"), _fixture.Root);
        Assert.Equal(["a/b"], await storage.ListAsync("", Token).ToListAsync(Token));
    }

    [Fact]
    public async Task WatchAsync_NoSystemEvents_ScanFindsTheChange()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a/old", "x"u8.ToArray(), cancellationToken: Token);
        await using var changes = WatchByScan();
        Assert.True(await changes.MoveNextAsync());

        await storage.WriteAsync("a/new", "x"u8.ToArray(), cancellationToken: Token);
        await storage.DeleteAsync("a/old", cancellationToken: Token);
        await _fixture.Time.AdvanceToNextTimerAsync(Token);
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal("a/new", changes.Current.Key);
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal("a/old", changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_ReplacedTwiceInASecondOfTheFileServer_IsReported()
    {
        var storage = _fixture.OpenFileSystem();
        var second = new DateTime(2026, 11, 1, 0, 0, 1, DateTimeKind.Utc);
        await WriteAsync("a/long-ago", "1", second.AddMinutes(-1));
        await WriteAsync("a/b", "1", second);
        await using var changes = WatchByScan();
        await NextAsync();

        // Some file servers count the times of files in seconds.
        await WriteAsync("a/b", "2", second);
        await _fixture.Time.AdvanceToNextTimerAsync(Token);
        Assert.Equal("a/b", await NextAsync());

        // Each change is reported once more, and then no more.
        await WriteAsync("a/c", "1", second.AddSeconds(20));
        await _fixture.Time.AdvanceToNextTimerAsync(Token);
        Assert.Equal("a/c", await NextAsync());
        await _fixture.Time.AdvanceToNextTimerAsync(Token);
        Assert.Equal("a/c", await NextAsync());
        await storage.WriteAsync("a/d", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.Time.AdvanceToNextTimerAsync(Token);
        Assert.Equal("a/d", await NextAsync());

        async Task<string?> NextAsync()
        {
            await changes.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token);
            return changes.Current.Key;
        }

        async Task WriteAsync(string key, string value, DateTime written)
        {
            await storage.WriteAsync(key, System.Text.Encoding.ASCII.GetBytes(value), cancellationToken: Token);
            File.SetLastWriteTimeUtc(Path.Join(_fixture.Root, key), written);
        }
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private string Domain => $"{MachineIdentity.Current}:{FileNode.Of(Path.Join(_fixture.Root, "~owners"))?.Device:x}";

    private static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);

    private static void SetMode(string path, UnixFileMode extra)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);
        }
    }

    private IAsyncEnumerator<StorageChange> WatchByScan()
    {
        var paths = new StoragePaths(_fixture.Root);
        var logger = _fixture.Log.For<FileSystemStorage>();
        var clock = new ServerClock(_fixture.Time, simulated: null);
        var registration = new OwnerRegistration(paths, new(), new(paths, clock, _fixture.Time), clock, logger);
        var reader = new FileSystemReader(paths, registration, logger);
        return new FolderWatch(paths, reader, "a/", _fixture.Time, logger, systemEvents: null).RunAsync(Token).GetAsyncEnumerator(Token);
    }

    private string MakeLeftover(string owner, DateTime written)
    {
        var path = StoragePaths.Temporary(Path.Join(_fixture.Root, "a"), owner);
        File.WriteAllText(path, "half of");
        File.SetLastWriteTimeUtc(path, written);
        return path;
    }

    private async Task StartAndSweepAsync()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", "x"u8.ToArray(), cancellationToken: Token);
        await storage.Sweep;
    }
}
