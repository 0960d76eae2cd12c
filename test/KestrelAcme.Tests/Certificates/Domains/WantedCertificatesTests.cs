using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Domains;

public sealed class WantedCertificatesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _log = new();

    [Theory]
    [InlineData(16, 16)]
    [InlineData(17, 17)]
    [InlineData(100_000, 17)]
    public async Task GatherAsync_BadNames_AreAFewLinesAndTheNumberOfTheRest(int bad, int lines)
    {
        var wanted = Create(
            [
                .. Enumerable.Range(0, bad).Select(i => string.Create(CultureInfo.InvariantCulture, $"bad_name_{i}..example.com")),
                "good.example.com",
            ]);

        var gathered = await wanted.GatherAsync(TestContext.Current.CancellationToken);

        Assert.Equal("good.example.com", Assert.Single(gathered).Identifiers[0].Value);
        Assert.Equal(lines, _log.Lines.Count(line => line.Event.Name is "DomainRefused" or "MoreDomainsRefused"));
        var rest = _log.Lines.Where(line => line.Event.Name == "MoreDomainsRefused").Select(line => line.Message).ToList();
        Assert.Equal(bad > 16 ? 1 : 0, rest.Count);
        var number = (bad - 16).ToString(CultureInfo.InvariantCulture);
        Assert.All(rest, message => Assert.StartsWith(number, message, StringComparison.Ordinal));

        // The same names are not logged again in the next pass.
        await wanted.GatherAsync(TestContext.Current.CancellationToken);
        Assert.Equal(lines, _log.Lines.Count(line => line.Event.Name is "DomainRefused" or "MoreDomainsRefused"));
    }

    [Fact]
    public async Task GatherAsync_SourceChangesTheCollectionThatItReturned_TheChangeIsSeen()
    {
        List<string> names = ["one.example.com", "ONE.example.com."];
        var wanted = Create(names);
        Assert.Equal("one.example.com", Assert.Single(await wanted.GatherAsync(TestContext.Current.CancellationToken)).Id);

        names.Add("b\u00fccher.example.com");
        var gathered = await wanted.GatherAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["one.example.com", "xn--bcher-kva.example.com"], gathered.Select(specification => specification.Id));
    }

    [Fact]
    public async Task GatherAsync_SourceBlocksItsThread_TheOthersAreReadInTime()
    {
        using var source = new BlockingSource();
        var wanted = Create(source, new FixedSource(["good.example.com"]));

        var gathering = Task.Run(() => wanted.GatherAsync(TestContext.Current.CancellationToken));
        await Poll.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                return gathering.IsCompleted;
            },
            "the names",
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("good.example.com", Assert.Single(await gathering).Id);
        Assert.True(_log.Has("DomainSourceFailed"));
    }

    [Fact]
    public async Task Watch_SourceBlocksItsThread_TheOthersAreAsked()
    {
        using var source = new BlockingSource();
        using var stopping = new CancellationTokenSource();
        var wanted = Create(source);
        var watcher = new DomainWatcher(wanted, Storage(), _time, _log.For<DomainWatcher>());

        var starting = Task.Run(() => (Running: watcher.RunAsync(() => Task.CompletedTask, stopping.Token), Done: true));
        await Poll.UntilAsync(
            () => starting.IsCompleted, "the watch to begin", cancellationToken: TestContext.Current.CancellationToken);

        await stopping.CancelAsync();
        source.Dispose();
        await (await starting).Running;
    }

    private WantedCertificates Create(IReadOnlyCollection<string> names) => Create(new FixedSource(names));

    private BoundedStorage Storage() => new(new InMemoryStorage(_time), TimeSpan.FromSeconds(10), _time);

    private WantedCertificates Create(params IDomainSource[] sources)
    {
        var storage = Storage();
        var snapshot = new ConfigurationSnapshot { StoragePath = "", Authorities = [], Certificates = [] };
        var configuration = new ConfigurationSource(() => snapshot, NullLogger<ConfigurationSource>.Instance);
        return new WantedCertificates(
            configuration,
            new DomainStore(storage, NullLogger<DomainStore>.Instance),
            () => sources,
            new CertificateStore(storage, NullLogger<CertificateStore>.Instance),
            _time,
            _log.For<WantedCertificates>());
    }

    private sealed class FixedSource(IReadOnlyCollection<string> names) : IDomainSource
    {
        public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
            => Task.FromResult(names);
    }

    /// <summary>Never returns, whatever it is asked.</summary>
    private sealed class BlockingSource : IDomainSource, IDisposable
    {
        private readonly ManualResetEventSlim _end = new();

        public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
        {
            _end.Wait(CancellationToken.None);
            return Task.FromResult<IReadOnlyCollection<string>>([]);
        }

        public IChangeToken? GetChangeToken()
        {
            _end.Wait(CancellationToken.None);
            return null;
        }

        // Not disposed, because threads may still wait.
        public void Dispose() => _end.Set();
    }
}
