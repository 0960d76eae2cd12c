using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class StorageDamageTests
{
    private readonly InMemoryStorage _storage = new(new FakeTimeProvider());
    private readonly LogRecorder _log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SetAsideAsync_Damaged_IsMovedAndReported()
    {
        Assert.Equal("a/b.pem.damaged", await DamageAsync("a/b.pem", 1));
        Assert.Null(await _storage.ReadAsync("a/b.pem", Token));
        Assert.Equal(new byte[] { 1 }, (await _storage.ReadAsync("a/b.pem.damaged", Token))!.Value.ToArray());
        var reported = Assert.Single(_log.Lines);
        Assert.Equal("ValueSetAside", reported.Event.Name);
        Assert.Contains("no certificate in it", reported.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetAsideAsync_Again_KeepsBoth()
    {
        await DamageAsync("a", 1);
        Assert.Equal("a.damaged-2", await DamageAsync("a", 2));
        Assert.Equal("a.damaged-2", await DamageAsync("a", 2));
        Assert.Equal(["a.damaged", "a.damaged-2"], await _storage.ListAsync("", Token).ToListAsync(Token));
    }

    [Fact]
    public async Task SetAsideAsync_TooMany_LeavesItInPlace()
    {
        for (byte i = 0; i < StorageDamage.MaxCopies; i++)
        {
            Assert.NotNull(await DamageAsync("a", i));
        }

        Assert.Null(await DamageAsync("a", 99));
        Assert.NotNull(await _storage.ReadAsync("a", Token));
        Assert.Equal("TooManyDamagedValues", _log.Lines.Last().Event.Name);
    }

    [Fact]
    public async Task SetAsideAsync_ReplacedMeanwhile_LeavesTheNewValue()
    {
        await _storage.WriteAsync("a", new byte[] { 2 }, cancellationToken: Token);
        await StorageDamage.SetAsideAsync(
            _storage, "a", new byte[] { 1 }, "empty", _log.For<StorageDamageTests>(), cancellationToken: Token);
        Assert.Equal(new byte[] { 2 }, (await _storage.ReadAsync("a", Token))!.Value.ToArray());
        Assert.NotNull(await _storage.ReadAsync("a.damaged", Token));
    }

    [Fact]
    public async Task SetAsideAsync_KeyTooLongForASuffix_IsKeptElsewhere()
    {
        var aside = await DamageAsync(new string('a', StorageKey.MaxSegmentLength), 1);
        Assert.StartsWith("damaged/", aside, StringComparison.Ordinal);
        Assert.NotNull(await _storage.ReadAsync(aside!, Token));
    }

    [Theory]
    [InlineData("a.damaged", true)]
    [InlineData("a/b.pem.damaged-12", true)]
    [InlineData("a.damaged.pem", false)]
    [InlineData("a.pem", false)]
    [InlineData("a.damaged-x", false)]
    public void IsSetAside_Key_ByItsEnd(string key, bool expected) => Assert.Equal(expected, StorageDamage.IsSetAside(key));

    private async Task<string?> DamageAsync(string key, byte value)
    {
        await _storage.WriteAsync(key, new[] { value }, cancellationToken: Token);
        return await StorageDamage.SetAsideAsync(
            _storage, key, new[] { value }, "no certificate in it", _log.For<StorageDamageTests>(), cancellationToken: Token);
    }
}
