using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class StoreTroubleTests
{
    private static readonly string[] Names = ["a.test", "b.test", "c.test"];

    private readonly InMemoryStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_OneValueUnreadable_ServesTheOthersAndItLater()
    {
        await using var fixture = await FilledAsync();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var trouble = new FailingStorage(_storage) { Unreadable = key => key is "certificates/a.test.pem" or "states/b.test.json" };
        await using var app = await ServeAsync(fixture, trouble, time);

        Assert.False((await app.ConnectAsync("b.test", Cancelled)).IsSelfSigned);
        Assert.False((await app.ConnectAsync("c.test", Cancelled)).IsSelfSigned);
        Assert.True((await app.ConnectAsync("a.test", Cancelled)).IsSelfSigned);

        trouble.Unreadable = static _ => false;
        await ServedAsync(app, "a.test", time);
    }

    [Fact]
    public async Task Start_DamagedValueOnAReadOnlyStore_ServesTheOthers()
    {
        await using var fixture = await FilledAsync();
        await _storage.WriteAsync(StorageLayout.Certificate("a.test"), "rubbish"u8.ToArray(), cancellationToken: Cancelled);
        await _storage.WriteAsync(StorageLayout.State("b.test"), "rubbish"u8.ToArray(), cancellationToken: Cancelled);
        await using var app = await ServeAsync(fixture, new FailingStorage(_storage) { Unwritable = static _ => true });

        Assert.False((await app.ConnectAsync("b.test", Cancelled)).IsSelfSigned);
        Assert.False((await app.ConnectAsync("c.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Follow_OneValueDamagedOnAReadOnlyStore_ServesTheOthers()
    {
        await using var fixture = await FilledAsync();
        await _storage.WriteAsync(StorageLayout.Certificate("a.test"), "rubbish"u8.ToArray(), cancellationToken: Cancelled);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var trouble = new FailingStorage(_storage) { Unreadable = static _ => true, Unwritable = static _ => true };
        await using var app = await ServeAsync(fixture, trouble, time);
        Assert.True((await app.ConnectAsync("b.test", Cancelled)).IsSelfSigned);

        trouble.Unreadable = static _ => false;

        await ServedAsync(app, "b.test", time);
        await ServedAsync(app, "c.test", time);
    }

    [Fact]
    public async Task Renew_AskedWhileAnAttemptFailsForItsLease_GetsAnAttemptOfItsOwn()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (reached, released) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(
            TaskCreationOptions.RunContinuationsAsynchronously));
        var trouble = new FailingStorage(_storage)
        {
            BeforeLease = async name =>
            {
                if (name.StartsWith("orders/", StringComparison.Ordinal) && reached.TrySetResult())
                {
                    await released.Task.WaitAsync(Cancelled);
                    throw new StorageUnavailableException($"'{name}' cannot be had.");
                }
            },
        };
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"), storage: trouble);
        await reached.Task.WaitAsync(Cancelled);

        var renewing = app.Certificates.RenewAsync("app.test", Cancelled);
        released.SetResult();

        Assert.Equal(CertificateState.Valid, (await renewing).State);
        Assert.True(app.Log.Has("CertificateFailed"), app.Log.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Order_StoreRefusesTheCertificate_IsServedFromMemoryAndStoredLaterAndOrderedOnce(bool byAnExceptionOfItsOwn)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var trouble = new FailingStorage(_storage)
        {
            Unwritable = key => key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal),
            Failure = key => byAnExceptionOfItsOwn
                ? new UnauthorizedAccessException($"'{key}' is not yours.")
                : new StorageUnavailableException($"'{key}' cannot be had."),
        };
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"), configure: QuickIssuance.Apply, storage: trouble);
        await app.ObtainedAsync("app.test");
        Assert.False((await app.ConnectAsync("app.test", Cancelled)).IsSelfSigned);
        await Poll.UntilAsync(
            () => app.Log.Lines.Count(l => l.Event.Name == "CertificateNotStored") >= 4,
            () => $"storing is tried again\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.True(app.Log.Has("NoOrderWhileUnstored"));
        Assert.Null(await _storage.ReadAsync(StorageLayout.Certificate("app.test"), Cancelled));

        trouble.Unwritable = static _ => false;

        await Poll.UntilAsync(
            async token => await _storage.ReadAsync(StorageLayout.Certificate("app.test"), token) is not null,
            "it is stored",
            cancellationToken: Cancelled);
        Assert.Single(fixture.Authority.Issued);
        Assert.Single(fixture.Authority.Requests, r => r.Resource == KestrelAcme.LocalAuthority.Requests.ResourceKind.NewOrder);
    }

    [Fact]
    public async Task Renew_StoreIsDown_ServesAndOrdersNothingAndRenewsOnceItIsBack()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var trouble = new FailingStorage(_storage);
        var settings = QuickIssuance.Settings with { StoreRetry = TimeSpan.FromMilliseconds(300) };
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"), configure: builder => builder.Services.AddSingleton(settings), storage: trouble);
        await app.ObtainedAsync("app.test");
        await Poll.UntilAsync(() => app.Log.Has("RenewalAdvised"), "the first order is over", cancellationToken: Cancelled);
        var served = app.Certificates.Find("app.test")!.SerialNumber;
        (trouble.Unreadable, trouble.Unwritable) = (static _ => true, static _ => true);

        // Each of these is an attempt that finds the store down.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => app.Certificates.RenewAsync("app.test", Cancelled));
            Assert.False((await app.ConnectAsync("app.test", Cancelled)).IsSelfSigned);
        }

        Assert.Equal(served, app.Certificates.Find("app.test")!.SerialNumber);
        Assert.Single(fixture.Authority.Requests, r => r.Resource == KestrelAcme.LocalAuthority.Requests.ResourceKind.NewOrder);

        (trouble.Unreadable, trouble.Unwritable) = (static _ => false, static _ => false);
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.SerialNumber != served,
            () => $"it is renewed\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Order_OneNameFails_TheOthersVerdictIsWaitedFor()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation("bad.test");
        await using var app = await fixture.StartAppAsync(fixture.Settings().AddGroup("bad.test", "good.test"));

        await Poll.UntilAsync(
            () => app.Certificates.Find("bad.test")!.State == CertificateState.Waiting,
            () => $"the failure\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.Contains(app.Log.Lines, l => l.Event.Name == "AuthorizationValid");
    }

    private async Task<LocalFixture> FilledAsync()
    {
        var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings(Names), storage: _storage);
        await app.StopAsync(Cancelled);
        return fixture;
    }

    private static Task<AcmeApp> ServeAsync(LocalFixture fixture, IAcmeStorage storage, TimeProvider? time = null)
    {
        var settings = fixture.Settings(Names);
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        return fixture.StartAppAsync(settings, configure: builder =>
        {
            builder.Services.AddSingleton(storage);
            builder.Services.AddSingleton(time ?? TimeProvider.System);
        });
    }

    private static Task ServedAsync(AcmeApp app, string name, FakeTimeProvider time) => Poll.UntilAsync(
        async cancellationToken =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return !(await app.ConnectAsync(name, cancellationToken)).IsSelfSigned;
        },
        () => $"{name} is served\n{app.Log}",
        cancellationToken: Cancelled);
}
