using KestrelAcme.Storage;
using KestrelAcme.Tests.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>The store of another fixture with a timeout that is never reached.</summary>
internal sealed class BoundedFixture : IStorageFixture
{
    private readonly InMemoryFixture _inner = new();

    /// <summary>Wraps a store as KestrelAcme's classes use it.</summary>
    public static BoundedStorage Around(IAcmeStorage storage) => new(storage, TimeSpan.FromMinutes(1), TimeProvider.System);

    public IAcmeStorage Open() => Around(_inner.Open());

    public Task PassAsync(TimeSpan span) => _inner.PassAsync(span);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
