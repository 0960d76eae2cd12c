using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>Several processes that share a folder, and a process that is killed.</summary>
public sealed class FileSystemProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LogRecorder _log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_KilledInTheMiddle_LeavesAWholeValue()
    {
        for (var round = 0; round < 8; round++)
        {
            await using var child = StorageChildProcess.Start("write", _folder.Path, "a/b");
            await child.WaitForLineAsync("ready", cancellationToken: Token);
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20)), TimeProvider.System, Token);
            await child.KillAsync(Token);

            using var storage = Open();
            var value = (await storage.ReadAsync("a/b", Token))!.Value;
            Assert.False(value.Span.ContainsAnyExcept(value.Span[0]), "A killed writer left a mixture.");
            Assert.Equal(20_000 + value.Span[0], value.Length);
            Assert.Equal(["a/b"], await storage.ListAsync("", Token).ToListAsync(Token));
        }
    }

    // On NFS and SMB, only exclusive locks count.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryAcquireLeaseAsync_HolderKilled_IsTakenOverAtOnceWithAHigherNumber(bool sharedLocksAreIgnored)
    {
        await using var child = StorageChildProcess.Start("hold", _folder.Path, "a");
        var held = await child.WaitForLineAsync("held", cancellationToken: Token);
        using var storage = Open(sharedLocksAreIgnored);
        Assert.Null(await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token));

        await child.KillAsync(Token);
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(lease);
        Assert.True(lease.FencingNumber > long.Parse(held.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains(_log.Lines, entry => entry.Event.Name == "LeaseTakenOver");
        Assert.False(_log.Has("FileLocksDoNotWork"));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HolderKilledBeforeThisInstanceStarted_IsTakenOverAtOnce()
    {
        await using (var child = StorageChildProcess.Start("hold", _folder.Path, "a"))
        {
            await child.WaitForLineAsync("held", cancellationToken: Token);
        }

        for (var start = 0; start < 3; start++)
        {
            using var idle = Open();
            await idle.WriteAsync("b", new byte[1], cancellationToken: Token);
            await idle.Sweep;
        }

        using var storage = Open();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(lease);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_EightProcessesContend_NeverTwoInside()
    {
        const int Processes = 8;
        const int Times = 25;
        var journal = _folder.Combine("journal");
        var children = Enumerable.Range(0, Processes)
            .Select(_ => StorageChildProcess.Start("contend", _folder.Combine("store"), "orders/x", journal, $"{Times}")).ToArray();
        await using var holder = StorageChildProcess.Start("hold", _folder.Combine("store"), "orders/x");
        try
        {
            // One process acquires the lease among the others and dies.
            await holder.WaitForLineAsync(
                line => line is "refused" || line.StartsWith("held", StringComparison.Ordinal), "an answer", cancellationToken: Token);
            await holder.KillAsync(Token);
            foreach (var child in children)
            {
                Assert.True(await child.WaitForExitAsync(TimeSpan.FromMinutes(2), Token) == 0, child.Output);
            }
        }
        finally
        {
            foreach (var child in children)
            {
                await child.DisposeAsync();
            }
        }

        AssertNeverTwoInside(await File.ReadAllLinesAsync(journal, Token), Processes * Times);
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertNeverTwoInside(string[] lines, int expected)
    {
        Assert.Equal(expected * 2, lines.Length);
        long last = 0;
        for (var i = 0; i < lines.Length; i += 2)
        {
            Assert.StartsWith("in ", lines[i], StringComparison.Ordinal);
            Assert.Equal("out " + lines[i][3..], lines[i + 1]);
            var number = long.Parse(lines[i].Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(number > last, $"The number went from {last} to {number}.");
            last = number;
        }
    }

    private FileSystemStorage Open(bool sharedLocksAreIgnored = false)
        => new(
            _folder.Path,
            TimeProvider.System,
            _log.For<FileSystemStorage>(),
            traits: new() { SharedLocksAreIgnored = sharedLocksAreIgnored });
}
