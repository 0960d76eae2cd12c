using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Engine;

/// <summary>What becomes of the requests that still wait when the host stops.</summary>
public sealed class EngineRequestsTests : IAsyncDisposable
{
    private const string Name = "app.test";

    private readonly FailingStorage _storage = new(new InMemoryStorage());
    private readonly EngineParts _parts;

    public EngineRequestsTests()
    {
        _parts = new EngineParts([Name], _storage);
        _parts.Manage();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ManagedCertificate Certificate => _parts.Catalog.Find(Name)!;

    [Fact]
    public async Task AnswerAllAsync_RenewalNotBegun_IsStoredForTheNextStart()
    {
        _parts.Serve(Name);
        var request = Certificate.Ask(force: true);

        await _parts.Get<EngineRequests>().AnswerAllAsync(Cancelled);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Contains("made at the next start", exception.Message, StringComparison.Ordinal);
        var stored = await _parts.Get<CertificateStore>().ReadStateAsync(Name, Cancelled);
        Assert.Equal(CertificateState.RenewalDue, stored?.State);
    }

    [Fact]
    public async Task AnswerAllAsync_StoreUnavailable_SaysThatItMustBeAskedForAgain()
    {
        _parts.Serve(Name);
        var request = Certificate.Ask(force: true);
        _storage.Unwritable = static _ => true;

        await _parts.Get<EngineRequests>().AnswerAllAsync(Cancelled);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Contains("Ask for the renewal again", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerAllAsync_NoTimeLeft_AnswersAllTheSame()
    {
        _parts.Serve(Name);
        var request = Certificate.Ask(force: true);

        await _parts.Get<EngineRequests>().AnswerAllAsync(new CancellationToken(canceled: true));

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Contains("Ask for the renewal again", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerAllAsync_FirstCertificate_NeedsNothingStored()
    {
        var request = Certificate.Ask(force: true);

        await _parts.Get<EngineRequests>().AnswerAllAsync(Cancelled);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Contains("made at the next start", exception.Message, StringComparison.Ordinal);
        Assert.Null(await _parts.Get<CertificateStore>().ReadStateAsync(Name, Cancelled));
    }

    [Fact]
    public async Task AnswerAllAsync_AnotherInstanceHoldsTheLease_SaysThatItMustBeAskedForAgain()
    {
        _parts.Serve(Name);
        var request = Certificate.Ask(force: true);
        await using (await _parts.Get<CertificateLeases>().OpenAsync(Certificate, Cancelled))
        {
            await _parts.Get<EngineRequests>().AnswerAllAsync(Cancelled);
        }

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => request.Outcome);
        Assert.Contains("Ask for the renewal again", exception.Message, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();
}
