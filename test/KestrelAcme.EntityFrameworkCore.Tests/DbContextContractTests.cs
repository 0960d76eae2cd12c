using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>The suites that every storage passes, on two databases.</summary>
public static class DbContextContractTests
{
    public sealed class SqliteValues : StorageValueContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.Sqlite);
    }

    public sealed class SqliteLeases : StorageLeaseContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync()
            => await DbContextFixture.CreateAsync(Kind.Sqlite, new FakeTimeProvider());
    }

    public sealed class SqliteWatches : StorageWatchContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.Sqlite);
    }

    public sealed class SqliteFaults : StorageFaultContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.Sqlite);
    }

    [Long]
    public sealed class PostgreSqlValues : StorageValueContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.PostgreSql);
    }

    [Long]
    public sealed class PostgreSqlLeases : StorageLeaseContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync()
            => await DbContextFixture.CreateAsync(Kind.PostgreSql, new FakeTimeProvider());
    }

    [Long]
    public sealed class PostgreSqlWatches : StorageWatchContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.PostgreSql);
    }

    [Long]
    public sealed class PostgreSqlFaults : StorageFaultContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await DbContextFixture.CreateAsync(Kind.PostgreSql);
    }
}
