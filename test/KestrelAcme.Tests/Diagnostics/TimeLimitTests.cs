using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Diagnostics;

public sealed class TimeLimitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Advance_CallbackThrows_TokenIsCancelledAndNothingEscapes()
    {
        using var limit = new TimeLimit(TimeSpan.FromSeconds(1), _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        var called = 0;
        linked.Token.Register(() => called++);
        linked.Token.Register(() => throw new InvalidOperationException("the app's own fault"));

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(limit.IsCancellationRequested && linked.IsCancellationRequested);
        Assert.Equal(1, called);
    }

    [Fact]
    public void Advance_NotYetOrDisposed_NotCancelled()
    {
        var limit = new TimeLimit(TimeSpan.FromSeconds(2), _time);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(limit.IsCancellationRequested);

        limit.Dispose();

        Assert.Equal(0, _time.ArmedTimers);
    }

    [Fact]
    public void Create_NoTime_IsCancelledAtOnce()
    {
        using var limit = new TimeLimit(TimeSpan.Zero, _time);

        Assert.True(limit.IsCancellationRequested);
    }

    [Fact]
    public async Task CancelQuietlyAsync_CallbackThrows_NothingEscapes()
    {
        using var source = new CancellationTokenSource();
        source.Token.Register(() => throw new InvalidOperationException("the app's own fault"));

        await source.CancelQuietlyAsync();
        source.CancelQuietly();

        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public async Task ReadAsync_DomainSourceThrowsWhenCancelled_LastNamesAreKept()
    {
        var log = new LogRecorder();
        var store = new CertificateStore(
            new BoundedStorage(new InMemoryStorage(_time), TimeSpan.FromSeconds(10), _time), NullLogger<CertificateStore>.Instance);
        var source = new ThrowingSource();
        var reader = new DomainSourceReader(source, "source", store, _time, log.For<DomainSourceReader>());

        var reading = reader.ReadAsync(TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() => source.IsAsked, "the source is asked", cancellationToken: TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Empty((await reading).Texts);
        Assert.True(log.Has("DomainSourceFailed"));
    }

    private sealed class ThrowingSource : IDomainSource
    {
        private volatile bool _isAsked;

        public bool IsAsked => _isAsked;

        public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
        {
            cancellationToken.Register(() => throw new InvalidOperationException("the app's own fault"));
            _isAsked = true;
            return new TaskCompletionSource<IReadOnlyCollection<string>>().Task;
        }
    }
}
