using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>The store of another fixture with a timeout that is never reached.</summary>
internal sealed class BoundedFixture : IStorageFixture
{
    private readonly InMemoryFixture _inner = new();

    /// <summary>Wraps a store as KestrelAcme's classes use it.</summary>
    public static BoundedStorage Around(IAcmeStorage storage, TimeProvider? time = null)
        => new(storage, TimeSpan.FromMinutes(1), time ?? TimeProvider.System);

    public IAcmeStorage Open(TimeSpan clockOffset = default) => Around(_inner.Open(clockOffset));

    public Task PassAsync(TimeSpan span) => _inner.PassAsync(span);

    public Task<bool> BreakAsync() => _inner.BreakAsync();

    public Task RestoreAsync() => _inner.RestoreAsync();

    public Task<bool> EmptyAsync() => _inner.EmptyAsync();

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
