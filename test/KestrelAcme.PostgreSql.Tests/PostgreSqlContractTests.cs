using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>The suites that every storage passes.</summary>
public static class PostgreSqlContractTests
{
    public sealed class Values : StorageValueContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await PostgreSqlFixture.CreateSchemaAsync();
    }

    public sealed class Leases : StorageLeaseContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync()
            => await PostgreSqlFixture.CreateSchemaAsync(new FakeTimeProvider());
    }

    public sealed class Watches : StorageWatchContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await PostgreSqlFixture.CreateAsync();
    }

    /// <summary>Without notifications, as behind PgBouncer.</summary>
    public sealed class Polling : StorageWatchContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await PostgreSqlFixture.CreateAsync(
            new() { ListenForChanges = false, PollInterval = TimeSpan.FromMilliseconds(50), TablePrefix = "acme_" });
    }

    public sealed class Faults : StorageFaultContract
    {
        protected override async ValueTask<IStorageFixture> CreateAsync() => await PostgreSqlFixture.CreateAsync();
    }
}
