using System.Globalization;
using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>What each operation costs in requests to the server, by the server's or the client's own count.</summary>
/// <remarks>
/// The table in docs/fleets.md has a column for each storage, and what a fleet costs is calculated from it. Set UPDATE_DOCS=1 to write what
/// was measured.
/// </remarks>
public abstract class StorageCostContract : StorageContract
{
    private const int Batch = 64;

    private static readonly Lock Writing = new();

    /// <summary>The heading of the storage's column.</summary>
    protected abstract string Column { get; }

    /// <summary>Runs an operation and counts its requests.</summary>
    /// <returns>Such as "1", or "1 read, 2 writes".</returns>
    protected abstract Task<string> CountAsync(Func<Task> operation);

    [Fact]
    public async Task AnyMember_Counted_CostsWhatTheDocumentationSays()
    {
        var measured = await MeasureAsync();
        foreach (var (operation, count) in measured)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{operation}: {count}");
        }

        var path = DocumentPath();
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            Update(path, measured);
        }

        var lines = File.ReadAllLines(path);
        Assert.All(measured, pair => Assert.Equal((pair.Key, pair.Value), (pair.Key, Cell(lines, pair.Key))));
    }

    private async Task<Dictionary<string, string>> MeasureAsync()
    {
        var keys = Enumerable.Range(0, Batch).Select(i => string.Create(CultureInfo.InvariantCulture, $"cost/many/{i}")).ToList();
        foreach (var key in keys)
        {
            await Storage.WriteAsync(key, Bytes("1"), cancellationToken: Token);
        }

        // Connections, scripts and tables are there before anything is counted, and so are all keys and leases.
        var other = Fixture.Open();
        await UseAsync(other);
        await UseAsync(Storage);
        IStorageLease? lease = null;
        var costs = new Dictionary<string, string>
        {
            ["read a value"] = await CountAsync(async () => await Storage.ReadAsync("cost/value", Token)),
            ["read 64 values at once"] = await CountAsync(async () => await Storage.ReadManyAsync(keys, Token).ToListAsync(Token)),
            ["list 64 keys"] = await CountAsync(async () => await Storage.ListAsync("cost/many/", Token).ToListAsync(Token)),
            ["write a value"] = await CountAsync(async () => await Storage.WriteAsync("cost/value", Bytes("2"), null, Token)),
            ["acquire a lease"] = await CountAsync(async () => lease = await AcquireAsync(Storage)),
            ["try a lease that another one holds"] = await CountAsync(async () => Assert.Null(await AcquireAsync(other))),
            ["renew a lease"] = await CountAsync(async () => await lease!.RenewAsync(Token)),
            ["write a value under a lease"] = await CountAsync(
                async () => await Storage.WriteAsync("cost/value", Bytes("3"), lease, Token)),
            ["delete a value"] = await CountAsync(async () => await Storage.DeleteAsync("cost/value", null, Token)),
            ["release a lease"] = await CountAsync(async () => await lease!.DisposeAsync()),
            ["check the store"] = await CountAsync(async () => await Storage.CheckAsync(Token)),
        };
        return costs;
    }

    private static async Task UseAsync(IAcmeStorage storage)
    {
        await storage.CheckAsync(Token);
        await storage.WriteAsync("cost/value", Bytes("1"), null, Token);
        await using var lease = await AcquireAsync(storage);
        await lease!.RenewAsync(Token);
        await storage.WriteAsync("cost/value", Bytes("1"), lease, Token);
        await storage.ReadAsync("cost/value", Token);
        await storage.DeleteAsync("cost/value", lease, Token);
        await storage.WriteAsync("cost/value", Bytes("1"), null, Token);
    }

    private static ValueTask<IStorageLease?> AcquireAsync(IAcmeStorage storage)
        => storage.TryAcquireLeaseAsync("cost/lease", TimeSpan.FromMinutes(5), Token);

    private string Cell(string[] lines, string operation) => Cells(Row(lines, operation))[ColumnOf(lines)].Trim();

    private void Update(string path, Dictionary<string, string> measured)
    {
        lock (Writing)
        {
            var lines = File.ReadAllLines(path);
            foreach (var (operation, count) in measured)
            {
                var row = Array.FindIndex(lines, line => IsRow(line, operation));
                var cells = Cells(lines[row]);
                cells[ColumnOf(lines)] = $" {count} ";
                lines[row] = string.Join('|', cells);
            }

            File.WriteAllLines(path, lines);
        }
    }

    private int ColumnOf(string[] lines)
        => Array.FindIndex(Cells(lines.First(line => line.StartsWith("| Operation |", StringComparison.Ordinal))), c => c.Trim() == Column);

    private static string Row(string[] lines, string operation) => lines.First(line => IsRow(line, operation));

    private static bool IsRow(string line, string operation) => line.StartsWith($"| {operation} |", StringComparison.Ordinal);

    private static string[] Cells(string line) => line.Split('|');

    private static string DocumentPath()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? "", "docs", "fleets.md");
    }
}
