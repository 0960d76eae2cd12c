using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage;

internal sealed class InMemoryFixture : IStorageFixture
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public InMemoryFixture() => _storage = new(_time);

    public IAcmeStorage Open(TimeSpan clockOffset = default) => _storage;

    public Task PassAsync(TimeSpan span)
    {
        _time.Advance(span);
        return Task.CompletedTask;
    }

    public Task<bool> BreakAsync() => Task.FromResult(false);

    public Task RestoreAsync() => Task.CompletedTask;

    public Task<bool> EmptyAsync() => Task.FromResult(false);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
