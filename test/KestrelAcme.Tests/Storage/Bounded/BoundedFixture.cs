using KestrelAcme.Storage;
using KestrelAcme.Tests.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>The store of another fixture behind a bound that is never reached.</summary>
internal sealed class BoundedFixture : IStorageFixture
{
    private readonly InMemoryFixture _inner = new();

    public IAcmeStorage Open() => new BoundedStorage(_inner.Open(), TimeSpan.FromMinutes(1), TimeProvider.System);

    public Task PassAsync(TimeSpan span) => _inner.PassAsync(span);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
