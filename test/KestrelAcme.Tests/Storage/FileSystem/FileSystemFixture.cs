using KestrelAcme.Storage;
using KestrelAcme.Storage.Durability;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>
/// A store in a temporary folder, with a fake clock that all its instances share. Only their dates may differ, and none of them is that of
/// the file server.
/// </summary>
internal sealed class FileSystemFixture : IStorageFixture
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<FileSystemStorage> _opened = [];

    private string Away => _folder.Combine("away");

    public FakeTimeProvider Time { get; } = new();

    public LogRecorder Log { get; } = new();

    public string Root => _folder.Combine("store");

    /// <summary>Whether the file locks of one instance exclude no other.</summary>
    public bool LocksAreLocal { get; init; }

    /// <summary>Called when the file server gives its time to a new file or folder.</summary>
    public Action? OnServerTime { get; set; }

    public IAcmeStorage Open(TimeSpan clockOffset = default) => OpenFileSystem(clockOffset: clockOffset);

    public FileSystemStorage OpenFileSystem(HostFacts? host = null, TimeSpan clockOffset = default)
    {
        var storage = new FileSystemStorage(
            Root,
            clockOffset == default ? Time : new WrongDate(Time, clockOffset),
            Log.For<FileSystemStorage>(),
            host is null ? null : () => host,
            new() { ServerTime = ReadServerTime, LocksAreLocal = LocksAreLocal });
        lock (_opened)
        {
            _opened.Add(storage);
        }

        return storage;
    }

    private DateTimeOffset ReadServerTime()
    {
        OnServerTime?.Invoke();
        return Time.GetUtcNow();
    }

    public Task PassAsync(TimeSpan span)
    {
        Time.Advance(span);
        return Task.CompletedTask;
    }

    // A file in place of the folder: nothing below it can be reached.
    public Task<bool> BreakAsync()
    {
        Directory.Move(Root, Away);
        File.WriteAllText(Root, "not a folder");
        return Task.FromResult(true);
    }

    public Task RestoreAsync()
    {
        File.Delete(Root);
        Directory.Move(Away, Root);
        return Task.CompletedTask;
    }

    public Task<bool> EmptyAsync()
    {
        foreach (var entry in new DirectoryInfo(Root).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }

        return Task.FromResult(true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var storage in _opened)
        {
            await storage.Sweep.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            storage.Dispose();
        }

        _folder.Dispose();
    }

    private sealed class WrongDate(TimeProvider time, TimeSpan offset) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + offset;

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => time.CreateTimer(callback, state, dueTime, period);
    }
}
