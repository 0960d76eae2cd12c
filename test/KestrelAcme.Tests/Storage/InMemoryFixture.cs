using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Contract;

namespace KestrelAcme.Tests.Storage;

internal sealed class InMemoryFixture : IStorageFixture
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public InMemoryFixture() => _storage = new(_time);

    public IAcmeStorage Open() => _storage;

    public Task PassAsync(TimeSpan span)
    {
        _time.Advance(span);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
