using System.Runtime.CompilerServices;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Durability;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>A store that was emptied is told from a new one: what an instance has in memory is written back, and nobody orders.</summary>
public sealed class EmptiedStoreTests
{
    private const string Name = "app.test";

    private readonly RemoteStorage _storage = new(new InMemoryStorage());

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_StoreWasEmptiedWhileAnotherRuns_WaitsForItAndOrdersNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await StartAsync(fixture, _storage, fixture.Settings(Name));
        await running.ObtainedAsync(Name);
        await Poll.UntilAsync(() => running.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        await _storage.EmptyUnnoticedAsync();

        await using var started = await StartAsync(fixture, _storage, fixture.Settings(Name), TimeSpan.FromMinutes(1));
        await started.ObtainedAsync(Name);

        Assert.Equal(running.Certificates.Find(Name)!.SerialNumber, started.Certificates.Find(Name)!.SerialNumber);
        Assert.Single(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.True(running.Log.Has("StoreIsFilledAgain"));
        await Poll.UntilAsync(IsFilledAsync, "the store is filled", cancellationToken: Cancelled);
        Assert.NotNull(await _storage.ReadAsync(StorageLayout.State(Name), Cancelled));
        Assert.NotEmpty(await _storage.ListAsync("accounts/", Cancelled).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task Store_IdentityGone_StatesOfNamesWithoutCertificateAreStoredAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.RejectIdentifier(Name);
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name));
        await Poll.UntilAsync(() => app.Certificates.Find(Name)?.Failure is not null, "the order fails", cancellationToken: Cancelled);
        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("another")), cancellationToken: Cancelled);

        await Poll.UntilAsync(
            async _ => await _storage.ReadAsync(StorageLayout.State(Name), Cancelled) is not null && app.Log.Has("StoreIsFilledAgain"),
            () => $"the state is stored\n{app.Log}",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Renew_StoreWasEmptiedAndNobodyHasNoticed_StoresAgainAndDoesNotWaitForItself()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("known")), cancellationToken: Cancelled);
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name), TimeSpan.FromSeconds(1));
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        fixture.Authority.Faults.ValidationStuck = true;
        await _storage.EmptyUnnoticedAsync();

        var renewal = app.Certificates.RenewAsync(Name, Cancelled);

        await Poll.UntilAsync(
            async _ => fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.NewOrder) == 2
                && await _storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled) is not null,
            () => $"an order, and the certificate in the store \n{app.Log}",
            cancellationToken: Cancelled);
        Assert.False(renewal.IsCompleted);
        fixture.Authority.Faults.ValidationStuck = false;
        Assert.Equal((await renewal).SerialNumber, app.Certificates.Find(Name)!.SerialNumber);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Store_EmptiedWhileAnotherInstanceHasTheLeaseForAMoment_IsFilledSoonAfter()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name),
            configure: builder => builder.Services.AddSingleton(
                QuickIssuance.Settings with { StoreAnswer = TimeSpan.Zero, SaveAgain = TimeSpan.FromHours(1) }),
            storage: _storage);
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        var other = await AcquireOrderLeaseAsync();
        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("another")), cancellationToken: Cancelled);
        await Poll.UntilAsync(() => _storage.Refused > 0, () => $"the lease to be wanted\n{app.Log}", cancellationToken: Cancelled);

        await other.DisposeAsync();

        await Poll.UntilAsync(IsFilledAsync, () => $"the store to be filled\n{app.Log}", cancellationToken: Cancelled);
        Assert.NotNull(await _storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled));
    }

    [Fact]
    public async Task Order_AnotherInstanceStillFillsTheStore_WaitsForItEvenIfThisOneFilledItToo()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("known")), cancellationToken: Cancelled);
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name));
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Filling("other"), "1"u8.ToArray(), cancellationToken: Cancelled);
        await _storage.WriteAsync(
            StorageLayout.Identity, StoreIdentityFile.Encode(new("another", WasFilled: true)), cancellationToken: Cancelled);
        await Poll.UntilAsync(
            async token => app.Log.Has("StoreIsFilledAgain")
                && await _storage.ReadAsync(StorageLayout.State(Name), token) is not null
                && await _storage.ListAsync(StorageLayout.FillingPrefix, token).CountAsync(token) == 1,
            () => $"this instance to have filled the store\n{app.Log}",
            cancellationToken: Cancelled);

        fixture.Authority.Resolve("new.test", app.Http);
        await app.Certificates.AddDomainsAsync(["new.test"], Cancelled);

        await Poll.UntilAsync(() => app.Log.Has("WaitingUntilStoreIsFilled"), () => $"a wait\n{app.Log}", cancellationToken: Cancelled);
        Assert.Single(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
        await _storage.DeleteAsync(StorageLayout.Filling("other"), cancellationToken: Cancelled);
        await app.ObtainedAsync("new.test");
        Assert.Equal(2, fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.NewOrder));
    }

    [Fact]
    public async Task Store_FailsWhileItIsFilled_TheRestIsStoredSoonAfter()
    {
        await using var fixture = await LocalFixture.StartAsync();
        string[] names = [Name, "other.test"];
        Array.ForEach(names, name => fixture.Authority.Faults.RejectIdentifier(name));
        var later = TimeSpan.FromHours(1);
        await using var app = await StartAsync(
            fixture,
            fixture.Settings(names),
            QuickIssuance.Settings with { Retries = new RetrySchedule([later], later, later, later, later, JitterShare: 0) });
        await Poll.UntilAsync(
            async _ => await AreStoredAsync(names) && Array.TrueForAll(names, name => app.Certificates.Find(name)?.Failure is not null),
            () => $"the orders to fail\n{app.Log}",
            cancellationToken: Cancelled);
        await _storage.EmptyUnnoticedAsync();
        _storage.FailuresOfOrderLeases = 1;
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("another")), cancellationToken: Cancelled);

        await Poll.UntilAsync(_ => AreStoredAsync(names), () => $"the states to be stored\n{app.Log}", cancellationToken: Cancelled);
        await Poll.UntilAsync(IsFilledAsync, () => $"the store to be filled\n{app.Log}", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Store_EmptiedAgainWhileItIsFilled_IsSaidAtOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name));
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        var other = await AcquireOrderLeaseAsync();
        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("another")), cancellationToken: Cancelled);
        await Poll.UntilAsync(() => _storage.Refused > 0, () => $"the lease to be wanted\n{app.Log}", cancellationToken: Cancelled);

        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("third")), cancellationToken: Cancelled);

        await Poll.UntilAsync(
            async token => await _storage.ReadAsync(StorageLayout.Identity, token) is { } value
                && StoreIdentityFile.Decode(value.Span) is { Id: "third", WasFilled: true }
                && await _storage.ListAsync(StorageLayout.FillingPrefix, token).CountAsync(token) == 1,
            () => $"this instance to say that it fills the store\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(0, _storage.Deleted);
        await other.DisposeAsync();
        await Poll.UntilAsync(
            async token => await IsFilledAsync(token) && await _storage.ReadAsync(StorageLayout.Certificate(Name), token) is not null,
            () => $"the store to be filled\n{app.Log}",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Store_CertificateCannotBeWrittenBack_OthersDoNotWaitForever()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(
            fixture, fixture.Settings(Name), QuickIssuance.Settings with { StoreFilling = TimeSpan.FromSeconds(1) });
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        await using var other = await AcquireOrderLeaseAsync();
        await _storage.EmptyUnnoticedAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("another")), cancellationToken: Cancelled);
        await Poll.UntilAsync(() => _storage.Refused > 0, () => $"the lease to be wanted\n{app.Log}", cancellationToken: Cancelled);

        await Poll.UntilAsync(IsFilledAsync, () => $"the filling to end\n{app.Log}", cancellationToken: Cancelled);
        Assert.Null(await _storage.ReadAsync(StorageLayout.Certificate(Name), Cancelled));
    }

    [Fact]
    public async Task Order_StoreHasAnOlderStateOfTheName_WaitsForTheInstanceThatStillFillsIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("known")), cancellationToken: Cancelled);
        fixture.Authority.Faults.RejectIdentifier(Name);
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name));
        await Poll.UntilAsync(() => app.Certificates.Find(Name)?.Failure is not null, "the order fails", cancellationToken: Cancelled);
        await _storage.WriteAsync(StorageLayout.Filling("other"), "1"u8.ToArray(), cancellationToken: Cancelled);
        await _storage.WriteAsync(
            StorageLayout.Identity, StoreIdentityFile.Encode(new("another", WasFilled: true)), cancellationToken: Cancelled);

        await Poll.UntilAsync(() => app.Log.Has("WaitingUntilStoreIsFilled"), () => $"a wait\n{app.Log}", cancellationToken: Cancelled);

        fixture.Authority.Faults.Clear();
        await _storage.DeleteAsync(StorageLayout.Filling("other"), cancellationToken: Cancelled);
        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Stop_OrderWaitsUntilTheStoreIsFilled_DoesNotWaitForIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await _storage.WriteAsync(StorageLayout.Filling("other"), "1"u8.ToArray(), cancellationToken: Cancelled);
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("known")), cancellationToken: Cancelled);
        var longest = TimeSpan.FromMinutes(10);
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(),
            configure: builder => builder.Services
                .AddSingleton(QuickIssuance.Settings with { StoppingGrace = longest })
                .Configure<HostOptions>(options => options.ShutdownTimeout = longest),
            storage: _storage);
        await Poll.UntilAsync(
            () => app.Services.GetRequiredService<IssuanceStatus>().IsKnown, () => $"the start\n{app.Log}", cancellationToken: Cancelled);
        await _storage.WriteAsync(
            StorageLayout.Identity, StoreIdentityFile.Encode(new("known", WasFilled: true)), cancellationToken: Cancelled);
        await app.Certificates.AddDomainsAsync([Name], Cancelled);
        await Poll.UntilAsync(() => app.Log.Has("WaitingUntilStoreIsFilled"), () => $"a wait\n{app.Log}", cancellationToken: Cancelled);

        var stopping = app.StopAsync(Cancelled);

        await Poll.UntilAsync(
            async token =>
            {
                await _storage.WriteAsync(StorageLayout.Filling("other"), Guid.NewGuid().ToByteArray(), cancellationToken: token);
                return stopping.IsCompleted;
            },
            () => $"the host to stop\n{app.Log}",
            cancellationToken: Cancelled);
        await stopping;
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
    }

    [Fact]
    public async Task Start_NewStoreOfThisMachine_DoesNotWait()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, storage: null, fixture.Settings(Name), TimeSpan.FromHours(1));
        await app.ObtainedAsync(Name);
        Assert.True(File.Exists(Path.Join(fixture.StorePath, "store", "identity.json")));
    }

    [Fact]
    public async Task Start_SharedStoreThatIsNotNew_DoesNotWait()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(new("known")), cancellationToken: Cancelled);
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name), TimeSpan.FromHours(1));
        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Start_NewSharedStore_WaitsOnceForOthers()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, _storage, fixture.Settings(Name), TimeSpan.FromMilliseconds(300));
        await app.ObtainedAsync(Name);
        Assert.False(app.Log.Has("WaitingUntilStoreIsFilled"));
    }

    [Theory]
    [InlineData("nfs4", true)]
    [InlineData("cifs", true)]
    [InlineData("fuse.sshfs", true)]
    [InlineData("virtiofs", true)]
    [InlineData("ext4", false)]
    [InlineData("tmpfs", false)]
    [InlineData("overlay", false)]
    public void IsShared_FileSystem_Expected(string fileSystem, bool expected)
        => Assert.Equal(expected, new MountEntry("0:1", "/", "/", fileSystem).IsShared);

    private async Task<bool> IsFilledAsync(CancellationToken cancellationToken)
        => await _storage.ReadAsync(StorageLayout.Identity, cancellationToken) is { } value
            && StoreIdentityFile.Decode(value.Span) is { WasFilled: true }
            && await _storage.ListAsync(StorageLayout.FillingPrefix, cancellationToken).CountAsync(cancellationToken) == 0;

    private async Task<bool> AreStoredAsync(string[] names)
        => (await _storage.ListAsync(StorageLayout.StatesPrefix, Cancelled).CountAsync(Cancelled)) == names.Length;

    private async Task<IStorageLease> AcquireOrderLeaseAsync()
    {
        IStorageLease? lease = null;
        await Poll.UntilAsync(
            async token => (lease = await _storage.TryAcquireLeaseAsync(
                StorageLayout.OrderLease(Identifiers.NameSet([Name])), TimeSpan.FromMinutes(5), token)) is not null,
            "the lease",
            cancellationToken: Cancelled);
        return lease!;
    }

    private Task<AcmeApp> StartAsync(LocalFixture fixture, Dictionary<string, string?> settings, IssuanceSettings times)
        => fixture.StartAppAsync(settings, configure: builder => builder.Services.AddSingleton(times), storage: _storage);

    private static Task<AcmeApp> StartAsync(
        LocalFixture fixture, IAcmeStorage? storage, Dictionary<string, string?> settings, TimeSpan answer = default)
        => fixture.StartAppAsync(
            settings,
            configure: builder => builder.Services.AddSingleton(QuickIssuance.Settings with { StoreAnswer = answer }),
            storage: storage);

    /// <summary>A store on another machine, which tells nobody if it is emptied, as a flush of Redis does.</summary>
    private sealed class RemoteStorage(InMemoryStorage first) : DelegatingStorage(first)
    {
        private int _refused;
        private int _deleted;

        /// <summary>How often a lease was held.</summary>
        public int Refused => Volatile.Read(ref _refused);

        /// <summary>How often an instance said that it has finished filling the store.</summary>
        public int Deleted => Volatile.Read(ref _deleted);

        /// <summary>How often the lease of an order cannot be acquired.</summary>
        public int FailuresOfOrderLeases { get; set; }

        public override async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
            string name, TimeSpan duration, CancellationToken cancellationToken = default)
        {
            if (FailuresOfOrderLeases > 0 && name.StartsWith("orders/", StringComparison.Ordinal))
            {
                FailuresOfOrderLeases--;
                throw new StorageUnavailableException("The test fails it.");
            }

            var lease = await base.TryAcquireLeaseAsync(name, duration, cancellationToken);
            _refused += lease is null ? 1 : 0;
            return lease;
        }

        public override ValueTask<bool> DeleteAsync(
            string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        {
            if (key.StartsWith(StorageLayout.FillingPrefix, StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _deleted);
            }

            return base.DeleteAsync(key, lease, cancellationToken);
        }

        public async Task EmptyUnnoticedAsync()
        {
            foreach (var key in await base.ListAsync("", Cancelled).ToListAsync(Cancelled))
            {
                await base.DeleteAsync(key, cancellationToken: Cancelled);
            }
        }

        public override async IAsyncEnumerable<StorageChange> WatchAsync(
            string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var change in base.WatchAsync(prefix, cancellationToken))
            {
                // A value that is gone was emptied: nobody is told.
                if (change.Key is null || await base.ReadAsync(change.Key, cancellationToken) is not null)
                {
                    yield return change;
                }
            }
        }
    }
}
