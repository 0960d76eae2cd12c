using System.Text;
using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>The base class of the suites.</summary>
public abstract class StorageContract : IAsyncLifetime
{
    /// <summary>The store under test.</summary>
    protected IStorageFixture Fixture { get; private set; } = null!;

    /// <summary>An open instance of the store.</summary>
    protected IAcmeStorage Storage { get; private set; } = null!;

    /// <summary>The cancellation token of the running test.</summary>
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Creates an empty store.</summary>
    protected abstract ValueTask<IStorageFixture> CreateAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Fixture = await CreateAsync();
        Storage = Fixture.Open();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns a value for a text.</summary>
    protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Reads a value as text; null if it is missing.</summary>
    protected async Task<string?> ReadTextAsync(string key, IAcmeStorage? storage = null)
        => await (storage ?? Storage).ReadAsync(key, Token) is { } value ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>Waits, in real time, until a condition holds; fails the test after two minutes.</summary>
    protected static async Task UntilAsync(Func<ValueTask<bool>> condition, string what)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var time = TimeProvider.System;
        for (var started = time.GetTimestamp(); !await condition(); await Task.Delay(TimeSpan.FromMilliseconds(20), time, Token))
        {
            Assert.True(time.GetElapsedTime(started) < TimeSpan.FromMinutes(2), $"Waited two minutes for {what} in vain.");
        }
    }
}
