using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class StoredAccountTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CertificateStore _store;

    public StoredAccountTests()
        => _store = new CertificateStore(BoundedFixture.Around(new InMemoryStorage(_time)), NullLogger<CertificateStore>.Instance);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_AccountOfAnotherDirectory_IsIgnoredAndNotOverwritten()
    {
        await WriteAsync("https://old.test/dir");

        var account = At("https://new.test/dir");
        Assert.Null(await account.ReadAsync(Cancelled));
        Assert.False(await account.IsEmptyAsync(Cancelled));
    }

    [Fact]
    public async Task Read_Written_IsTheAccount()
    {
        var account = At("https://ca.test/dir");
        Assert.True(await account.IsEmptyAsync(Cancelled));

        await WriteAsync("https://ca.test/dir");

        Assert.Equal(new Uri("https://ca.test/dir"), (await account.ReadAsync(Cancelled))!.Metadata.DirectoryUrl);
    }

    [Fact]
    public async Task AcquireLease_AnotherHasIt_WaitsUntilItIsFree()
    {
        var account = At("https://ca.test/dir");
        var other = await account.AcquireLeaseAsync(Cancelled);

        var waiting = account.AcquireLeaseAsync(Cancelled);
        Assert.False(waiting.IsCompleted);
        await other.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(1));

        await using var lease = await waiting.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);
    }

    private StoredAccount At(string directoryUrl)
    {
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri(directoryUrl),
            IsPublic = false,
        };
        return new StoredAccount(_store, authority, _time);
    }

    private async Task WriteAsync(string directoryUrl)
    {
        var account = At(directoryUrl);
        await using var lease = await account.AcquireLeaseAsync(Cancelled);
        var metadata = new AccountMetadata { DirectoryUrl = new Uri(directoryUrl), CreatedAt = _time.GetUtcNow() };
        await account.WriteAsync(new AccountRecord(AccountKey.Generate().ExportPkcs8Pem(), metadata), lease, Cancelled);
    }
}
