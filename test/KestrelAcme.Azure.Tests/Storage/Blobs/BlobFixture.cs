using Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

/// <summary>
/// A new container in Azurite. The server's clock, which only its Date headers show, is <see cref="Clock"/>, so that a test can let a
/// minute pass; conditions and content are Azurite's own.
/// </summary>
internal sealed class BlobFixture : IStorageFixture
{
    // The server's clock shows whole seconds, so that a lease may last up to two seconds longer than asked.
    private static readonly TimeSpan Rounding = TimeSpan.FromSeconds(2);

    private readonly List<AzureBlobStorage> _open = [];
    private readonly RunningClock _clock = new();
    private readonly string _connection;

    private BlobFixture(string connection)
    {
        _connection = connection;
        Handler = new(Clock);
        Client = NewClient(Handler);
    }

    public Testing.FakeTimeProvider Clock => _clock.Time;

    public string Name { get; } = $"t{Guid.NewGuid():N}";

    /// <summary>What is in front of the server, for all instances that were opened without one of their own.</summary>
    public ServerHandler Handler { get; }

    /// <summary>The container, as the test itself uses it.</summary>
    public BlobContainerClient Client { get; }

    public AzureBlobStorageOptions Options { get; } = new() { PollInterval = TimeSpan.FromMilliseconds(100) };

    public static async ValueTask<BlobFixture> CreateAsync(AzuriteFixture azurite) => new((await azurite.StartAsync()).ConnectionString);

    public IAcmeStorage Open(TimeSpan clockOffset = default) => OpenBlobs(Handler, clockOffset);

    /// <summary>Opens another instance, whose requests can be held back.</summary>
    public AzureBlobStorage OpenBlobs(ServerHandler handler, TimeSpan clockOffset = default)
    {
        var time = clockOffset == TimeSpan.Zero ? (TimeProvider)Clock : new WrongClock(Clock, clockOffset);
        var storage = new AzureBlobStorage(NewClient(handler), Options, [AzuriteServer.AccountKey], time);
        lock (_open)
        {
            _open.Add(storage);
        }

        return storage;
    }

    public Task PassAsync(TimeSpan span)
    {
        Clock.Advance(span >= Rounding ? span + Rounding : span);
        return Task.CompletedTask;
    }

    public Task<bool> BreakAsync()
    {
        Handler.IsBroken = true;
        return Task.FromResult(true);
    }

    public Task RestoreAsync()
    {
        Handler.IsBroken = false;
        return Task.CompletedTask;
    }

    public async Task<bool> EmptyAsync()
    {
        await foreach (var blob in Client.GetBlobsAsync())
        {
            await Client.DeleteBlobAsync(blob.Name);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var storage in _open)
        {
            await storage.DisposeAsync();
        }

        await _clock.DisposeAsync();
        Handler.Dispose();
    }

    private BlobContainerClient NewClient(ServerHandler handler) => new(_connection, Name, AzuriteFixture.Options(handler));
}
