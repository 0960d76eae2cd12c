using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>Values: read, replace, delete, list, many at once.</summary>
public abstract class StorageValueContract : StorageContract
{
    [Fact]
    public async Task ReadAsync_NeverWritten_Null() => Assert.Null(await Storage.ReadAsync("certificates/a.pem", Token));

    [Fact]
    public async Task ReadAsync_Written_ReturnsTheBytesToEveryInstance()
    {
        await Storage.WriteAsync("certificates/a.pem", Bytes("one"), cancellationToken: Token);
        Assert.Equal("one", await ReadTextAsync("certificates/a.pem"));
        Assert.Equal("one", await ReadTextAsync("certificates/a.pem", Fixture.Open()));
    }

    [Fact]
    public async Task WriteAsync_Existing_Replaces()
    {
        await Storage.WriteAsync("a", Bytes("a long first value"), cancellationToken: Token);
        await Storage.WriteAsync("a", Bytes("2"), cancellationToken: Token);
        Assert.Equal("2", await ReadTextAsync("a"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1024 * 1024)]
    public async Task WriteAsync_AnyLength_ReadsBackTheSame(int length)
    {
        var value = new byte[length];
        new Random(length).NextBytes(value);
        await Storage.WriteAsync("state/blob", value, cancellationToken: Token);
        Assert.True((await Storage.ReadAsync("state/blob", Token))!.Value.Span.SequenceEqual(value));
    }

    [Fact]
    public async Task WriteAsync_TooLarge_IsRefused()
        => await Assert.ThrowsAsync<ArgumentException>(
            async () => await Storage.WriteAsync("a", new byte[StorageKey.MaxValueLength + 1], cancellationToken: Token));

    [Theory]
    [InlineData("con")]
    [InlineData("nul.pem/lpt1")]
    [InlineData("a.")]
    [InlineData("lost+found")]
    [InlineData(".hidden")]
    [InlineData(".nfs0001")]
    [InlineData("a.tmp")]
    [InlineData("a.lock")]
    [InlineData("leases/a")]
    [InlineData("_.example.com+2-0a")]
    public async Task WriteAsync_SpecialKeys_ReadsListsAndDeletes(string key)
    {
        await Storage.WriteAsync(key, Bytes("x"), cancellationToken: Token);
        Assert.Equal("x", await ReadTextAsync(key));
        Assert.Equal([key], await Storage.ListAsync("", Token).ToListAsync(Token));
        Assert.True(await Storage.DeleteAsync(key, cancellationToken: Token));
        Assert.Empty(await Storage.ListAsync("", Token).ToListAsync(Token));
    }

    [Fact]
    public async Task WriteAsync_LongestKey_ReadsBack()
    {
        var (first, rest) = (StorageKey.MaxSegmentLength, StorageKey.MaxLength - StorageKey.MaxSegmentLength - 1);
        var key = new string('a', first) + "/" + new string('b', rest);
        await Storage.WriteAsync(key, Bytes("x"), cancellationToken: Token);
        Assert.Equal("x", await ReadTextAsync(key));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("A")]
    [InlineData("~owners/a")]
    public async Task AnyMember_MalformedKey_IsRefused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.ReadAsync(key, Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.WriteAsync(key, Bytes("x"), cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.DeleteAsync(key, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.ListAsync(key + "/", Token).ToListAsync(Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.ReadManyAsync([key], Token).ToListAsync(Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.TryAcquireLeaseAsync(key, TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task DeleteAsync_Existing_TrueOnceThenFalse()
    {
        await Storage.WriteAsync("a/b", Bytes("x"), cancellationToken: Token);
        Assert.True(await Storage.DeleteAsync("a/b", cancellationToken: Token));
        Assert.False(await Storage.DeleteAsync("a/b", cancellationToken: Token));
        Assert.Null(await Storage.ReadAsync("a/b", Token));
    }

    [Fact]
    public async Task ListAsync_Prefix_OnlyWhatIsBelowIt()
    {
        foreach (var key in new[] { "a/1", "a/b/2", "ab/3", "a.4", "c" })
        {
            await Storage.WriteAsync(key, Bytes("x"), cancellationToken: Token);
        }

        await using var lease = await Storage.TryAcquireLeaseAsync("a/lease", TimeSpan.FromMinutes(1), Token);
        Assert.Equal(["a/1", "a/b/2"], (await Storage.ListAsync("a/", Token).ToListAsync(Token)).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["a.4", "a/1", "a/b/2", "ab/3", "c"], (await Storage.ListAsync("", Token).ToListAsync(Token)).Order(StringComparer.Ordinal));
        Assert.Empty(await Storage.ListAsync("none/", Token).ToListAsync(Token));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("a//")]
    public async Task ListAsync_MalformedPrefix_IsRefused(string prefix)
        => await Assert.ThrowsAsync<ArgumentException>(async () => await Storage.ListAsync(prefix, Token).ToListAsync(Token));

    [Fact]
    public async Task ReadManyAsync_SomeMissing_ReturnsThoseThatExist()
    {
        var keys = Enumerable.Range(0, 300).Select(i => $"many/{i}").ToList();
        foreach (var key in keys)
        {
            await Storage.WriteAsync(key, Bytes(key), cancellationToken: Token);
        }

        var entries = await Storage.ReadManyAsync([.. keys, "many/none"], Token).ToListAsync(Token);
        Assert.Equal(keys.Order(StringComparer.Ordinal), entries.Select(entry => entry.Key).Order(StringComparer.Ordinal));
        Assert.All(entries, entry => Assert.True(entry.Value.Span.SequenceEqual(Bytes(entry.Key).Span)));
    }

    [Fact]
    public async Task ReadAsync_ChangedByTheCaller_LeavesTheStoreAlone()
    {
        var mine = "mine"u8.ToArray();
        await Storage.WriteAsync("a", mine, cancellationToken: Token);
        mine[0] = (byte)'X';
        Assert.Equal("mine", await ReadTextAsync("a"));
    }

    [Fact]
    public async Task ReadAsync_DuringParallelWrites_SeesWholeValuesOnly()
    {
        await Storage.WriteAsync("a", new byte[50_000], cancellationToken: Token);
        var writers = Enumerable.Range(1, 4).Select(seed => Task.Run(async () =>
        {
            var storage = Fixture.Open();
            for (var i = 0; i < 25; i++)
            {
                var value = new byte[50_000 + (seed * 1000) + i];
                Array.Fill(value, (byte)seed);
                await storage.WriteAsync("a", value, cancellationToken: Token);
            }
        }, Token)).ToArray();
        var all = Task.WhenAll(writers);
        var reads = 0;
        while (!all.IsCompleted || reads == 0)
        {
            var value = (await Storage.ReadAsync("a", Token))!.Value;
            var first = value.Span[0];
            Assert.False(value.Span.ContainsAnyExcept(first), "A reader saw a mixture of two values.");
            Assert.Equal(first, first == 0 ? 0 : (value.Length - 50_000) / 1000);
            reads++;
        }

        await all;
    }

    [Fact]
    public async Task AnyMember_CancelledToken_Throws()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.ReadAsync("a", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Storage.WriteAsync("a", Bytes("x"), cancellationToken: cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), cancelled));
        Assert.Null(await Storage.ReadAsync("a", Token));
    }

    [Fact]
    public async Task CheckAsync_InOrder_ReadableAndWritableAndLeavesNothing()
    {
        var report = await Storage.CheckAsync(Token);
        Assert.True(report.Readable, report.Explanation);
        Assert.True(report.Writable, report.Explanation);
        Assert.NotEmpty(report.Place);
        Assert.Empty(await Storage.ListAsync("", Token).ToListAsync(Token));
    }
}
