using KestrelAcme.Storage;
using KestrelAcme.Storage.Durability;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>A store in a temporary folder, with a fake clock that all its instances share.</summary>
internal sealed class FileSystemFixture : IStorageFixture
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<FileSystemStorage> _opened = [];

    public FakeTimeProvider Time { get; } = new();

    public LogRecorder Log { get; } = new();

    public string Root => _folder.Combine("store");

    public IAcmeStorage Open() => OpenFileSystem();

    public FileSystemStorage OpenFileSystem(HostFacts? host = null)
    {
        var storage = new FileSystemStorage(Root, Time, Log.For<FileSystemStorage>(), host is null ? null : () => host);
        lock (_opened)
        {
            _opened.Add(storage);
        }

        return storage;
    }

    public Task PassAsync(TimeSpan span)
    {
        Time.Advance(span);
        return Task.CompletedTask;
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
}
