using System.Text;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Storage.Contract;

/// <summary>Common to the suites.</summary>
public abstract class StorageContract : IAsyncLifetime
{
    /// <summary>The store under test.</summary>
    protected IStorageFixture Fixture { get; private set; } = null!;

    /// <summary>An instance of it.</summary>
    protected IAcmeStorage Storage { get; private set; } = null!;

    /// <summary>The running test's token.</summary>
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Makes an empty store.</summary>
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

    /// <summary>A value.</summary>
    protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The value of a key as text; null when it is missing.</summary>
    protected async Task<string?> ReadTextAsync(string key, IAcmeStorage? storage = null)
        => await (storage ?? Storage).ReadAsync(key, Token) is { } value ? Encoding.UTF8.GetString(value.Span) : null;
}
