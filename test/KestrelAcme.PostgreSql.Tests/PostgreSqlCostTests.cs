using System.Globalization;
using System.Text.RegularExpressions;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>The statements that PostgreSQL gets, by its own log.</summary>
public sealed class PostgreSqlCostTests : StorageCostContract
{
    private int _marks;

    protected override string Column => "PostgreSQL: statements";

    private PostgreSqlFixture Database => (PostgreSqlFixture)Fixture;

    protected override async ValueTask<IStorageFixture> CreateAsync()
    {
        var fixture = await PostgreSqlFixture.CreateAsync();
        await fixture.Server.ExecuteAsync("postgres", $"ALTER DATABASE {fixture.Database} SET log_statement = 'all'", Token);
        return fixture;
    }

    protected override async Task<string> CountAsync(Func<Task> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var begin = await MarkAsync();
        await operation();
        var end = await MarkAsync();
        var output = Database.Server.Output;
        var between = output[begin..output.LastIndexOf('\n', end)];

        // The cleaning of a connection that was used before is sent with the next statement, and costs no round trip.
        var statement = $"^{Database.Database}: LOG:  (statement|execute [^:]*): (?!DISCARD)";
        return Regex.Count(between, statement, RegexOptions.Multiline).ToString(CultureInfo.InvariantCulture);
    }

    private async Task<int> MarkAsync()
    {
        var mark = $"'mark {++_marks}'";
        await Database.ExecuteAsync($"SELECT {mark}");
        var at = -1;
        await Poll.UntilAsync(
            () => (at = Database.Server.Output.IndexOf(mark, StringComparison.Ordinal)) >= 0, "the log", cancellationToken: Token);
        return at;
    }
}
