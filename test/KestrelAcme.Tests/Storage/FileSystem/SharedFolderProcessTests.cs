using System.Globalization;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>
/// Processes on a folder whose file locks exclude nobody, with dates a day apart, as hosts on a badly configured share. They count up one
/// value; any two holders at once, and any late write, makes the sum too low.
/// </summary>
public sealed class SharedFolderProcessTests : IDisposable
{
    private const string Lease = "orders/x";
    private const int Processes = 4;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Root => _folder.Combine("store");

    [Fact]
    public Task WriteAsync_ManyProcesses_NoneIsLost() => CountAsync(times: 60, milliseconds: 60_000, disturb: null);

    [Fact]
    public async Task WriteAsync_HoldersStoppedPastTheirLease_AreRefused()
    {
        // Whether one is stopped within its lease is a matter of chance.
        for (var rounds = 0; await CountAsync(times: 40, milliseconds: 150, StopAtRandomAsync) == 0;)
        {
            Assert.True(++rounds < 20, "No process was stopped in its lease.");
        }
    }

    [Fact]
    [Long]
    public Task WriteAsync_ManyProcessesForThousandsOfRounds_NoneIsLost() => CountAsync(times: 1500, milliseconds: 60_000, disturb: null);

    [Fact]
    [Long]
    public Task WriteAsync_HoldersStoppedForThousandsOfRounds_AreRefused() => CountAsync(times: 800, milliseconds: 150, StopAtRandomAsync);

    [Fact]
    public Task WriteAsync_HoldersKilled_NothingWrittenIsLost() => KillAsync(times: 8);

    [Fact]
    [Long]
    public Task WriteAsync_HundredHoldersKilled_NothingWrittenIsLost() => KillAsync(times: 100);

    public void Dispose() => _folder.Dispose();

    private async Task KillAsync(int times)
    {
        var written = 0;
        for (var kill = 0; kill < times; kill++)
        {
            await using var child = Start(kill % 2, times: 1_000_000, milliseconds: 100);
            await child.WaitForLineAsync("wrote", cancellationToken: Token);
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(15)), TimeProvider.System, Token);
            await child.KillAsync(Token);

            var last = LastWritten(child);
            var stored = await ReadAsync();
            Assert.True(last > written, $"{last} was written after {written}.");
            Assert.InRange(stored, last, last + 1);
            written = stored;
        }
    }

    private async Task<int> CountAsync(int times, int milliseconds, Func<ChildProcess[], Task>? disturb)
    {
        var before = await ReadAsync();
        var children = Enumerable.Range(0, Processes).Select(i => Start(i % 3 - 1, times, milliseconds)).ToArray();
        try
        {
            while (disturb is not null && !children.All(child => child.HasExited))
            {
                await disturb(children);
            }

            foreach (var child in children)
            {
                Assert.True(await child.WaitForExitAsync(TimeSpan.FromMinutes(5), Token) == 0, child.Output);
            }

            Assert.Equal(before + (Processes * times), await ReadAsync());
            AssertNumbersGrow(before, children);
            return children.Sum(child => int.Parse(child.Lines[^1].Split(' ')[1], CultureInfo.InvariantCulture));
        }
        finally
        {
            foreach (var child in children)
            {
                await child.DisposeAsync();
            }
        }
    }

    // Longer than the lease, so that others take it over, wherever the process is.
    private static async Task StopAtRandomAsync(ChildProcess[] children)
    {
        var child = children[Random.Shared.Next(children.Length)];
        child.Pause();
        await Task.Delay(TimeSpan.FromMilliseconds(100 + Random.Shared.Next(200)), TimeProvider.System, Token);
        child.Continue();
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20)), TimeProvider.System, Token);
    }

    // In the order in which the values were written.
    private static void AssertNumbersGrow(int before, ChildProcess[] children)
    {
        var writes = children.SelectMany(child => child.Lines)
            .Where(line => line.StartsWith("wrote", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .Select(
                words => (Count: int.Parse(words[1], CultureInfo.InvariantCulture), Number: long.Parse(
                    words[3], CultureInfo.InvariantCulture)))
            .OrderBy(write => write.Count)
            .ToList();
        Assert.Equal(Enumerable.Range(before + 1, writes.Count), writes.Select(write => write.Count));
        Assert.Equal(writes.Select(write => write.Number).Order(), writes.Select(write => write.Number));
    }

    private ChildProcess Start(int daysAhead, int times, int milliseconds)
        => StorageChildProcess.StartOnShare(daysAhead, "count", Root, Lease, $"{times}", $"{milliseconds}");

    private static int LastWritten(ChildProcess child)
        => int.Parse(
            child.Lines.Last(line => line.StartsWith("wrote", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    private async Task<int> ReadAsync()
    {
        using var storage = new FileSystemStorage(Root, TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        return await storage.ReadAsync("count", Token) is { } value ? int.Parse(value.Span, CultureInfo.InvariantCulture) : 0;
    }
}
