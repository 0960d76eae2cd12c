using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Crash;

/// <summary>A store, an authority, and what must hold of them after a crash.</summary>
internal sealed class CrashCase : IAsyncDisposable
{
    public const string Name = "app.test";

    private readonly LocalFixture _fixture;
    private readonly Dictionary<string, string?> _settings;
    private readonly int _port = FreePort.Tcp();
    private IReadOnlyList<string> _leftBehind = [];

    private CrashCase(LocalFixture fixture)
    {
        _fixture = fixture;
        _settings = fixture.Settings(Name);
        fixture.Authority.Resolve(Name, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, _port));
    }

    public LocalFixture Fixture => _fixture;

    public Dictionary<string, string?> Settings => _settings;

    /// <summary>The orders that were placed.</summary>
    public int Orders => _fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    public static async Task<CrashCase> CreateAsync() => new(await LocalFixture.StartAsync());

    public TestAppProcess Start(OrderStep? killAt = null, string? killWhen = null)
    {
        _leftBehind = Directory.Exists(_fixture.StorePath) ? StoreContent.TemporaryFiles(_fixture.StorePath) : [];
        return TestAppProcess.Start(_settings, _port, killAt is { } step ? OrderSteps.ActivityOf(step) : null, killWhen);
    }

    /// <summary>
    /// Whether the authority's answer to the order was stored when a step was reached: from there on the order can be finished.
    /// </summary>
    public static bool CanBeFinished(OrderStep step) => step >= OrderStep.OrderUrlStored;

    /// <summary>
    /// An authority that looks while the process is dead finds nothing, and rightly ends the order: it is made to look later.
    /// </summary>
    public void HoldValidation(OrderStep killedAt) => _fixture.Authority.Faults.ValidationStuck = killedAt == OrderStep.ChallengePosted;

    public void ReleaseValidation() => _fixture.Authority.Faults.ValidationStuck = false;

    public bool WasIssued(TlsAnswer answer) => _fixture.Authority.Issued.Any(i => i.SerialNumber == answer.SerialNumber);

    /// <summary>Waits until the store holds what a finished order leaves, then stops the application and looks at every file.</summary>
    public async Task AssertSettledAsync(TestAppProcess app)
    {
        var store = _fixture.StorePath;
        await Poll.UntilAsync(
            () => StoreContent.Read(store) is { States: [{ State: CertificateState.Valid, StoredOrder: null }] },
            () => $"a settled state. Output:\n{app.Output}",
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(await app.StopAsync(), app.Output);

        var content = StoreContent.Read(store);
        Assert.Empty(content.Damaged);

        // What the killed one was just writing is kept for half a minute: on a share its owner might live.
        Assert.Empty(StoreContent.TemporaryFiles(store).Except(_leftBehind));
        var certificate = Assert.Single(content.Certificates);
        Assert.Equal(_fixture.Authority.Issued[^1].SerialNumber, CertificateSnapshot.Read(certificate).SerialNumber);
        Assert.NotNull(Assert.Single(content.Accounts).Metadata.AccountUrl);
        Assert.Single(_fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();
}
