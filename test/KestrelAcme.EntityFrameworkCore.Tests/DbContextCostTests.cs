using System.Globalization;
using KestrelAcme.Storage.Contract;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>The commands that EF Core sends; the beginning and the end of a transaction are not counted.</summary>
public sealed class DbContextCostTests : StorageCostContract
{
    protected override string Column => "EF Core: commands";

    protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.Sqlite);

    protected override async Task<string> CountAsync(Func<Task> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var statements = ((DbContextFixture)Fixture).Commands.Statements;
        statements.Clear();
        await operation();
        return statements.Count.ToString(CultureInfo.InvariantCulture);
    }
}
