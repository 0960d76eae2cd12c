using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Routing;

public sealed class TrialTokensTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A name on demand is checked for seconds, and a stranger may come with ever new ones.</summary>
    [Fact]
    public async Task Add_CanceledWhileTheStoreHangs_KeepsNothing()
    {
        var storage = new OnceHangingStorage();
        var tokens = new Http01TokenTable(
            BoundedFixture.Around(storage), new FakeThumbprints(), TimeProvider.System, NullLogger<Http01TokenTable>.Instance);
        var trials = new TrialTokens(tokens, new FakeThumbprints(), Configuration());
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        var adding = trials.AddAsync("app.test", gone.Token);
        var key = await storage.Asked.WaitAsync(TimeSpan.FromMinutes(1), Cancelled);
        Assert.True(tokens.Shared.IsOwn(key));
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adding);
        Assert.False(tokens.Shared.IsOwn(key));
    }

    private static ConfigurationSource Configuration() => new(
        () => TestFacts.Snapshot(options => options.DirectoryUrl = FakeThumbprints.Directory.AbsoluteUri),
        NullLogger<ConfigurationSource>.Instance);

    /// <summary>A store that says nothing to the first question.</summary>
    private sealed class OnceHangingStorage() : DelegatingStorage(new InMemoryStorage(TimeProvider.System))
    {
        private readonly TaskCompletionSource<string> _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Asked => _asked.Task;

        public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        {
            if (_asked.TrySetResult(key))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            return await base.ReadAsync(key, cancellationToken);
        }
    }
}
