using System.Collections;
using System.Net.Security;
using KestrelAcme.Testing;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Tls;

/// <summary>A certificate may be replaced after the ClientHello of a connection was read and before its handshake.</summary>
public sealed class ReplacedCertificateTests
{
    private static readonly TestAuthority Authority = new();

    private readonly SessionPins _pins;
    private readonly CertificateContexts _contexts;
    private readonly TlsCertificateTable _table;

    public ReplacedCertificateTests()
    {
        var settings = new FixedTlsSettings(new TlsSettings());
        _pins = new SessionPins(settings, TimeProvider.System, NullLogger<SessionPins>.Instance);
        _contexts = new CertificateContexts(settings, _pins, TimeProvider.System, NullLogger<CertificateContexts>.Instance);
        _table = new TlsCertificateTable(settings, _contexts, TimeProvider.System, NullLogger<TlsCertificateTable>.Instance);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetAsync_NoLongerPublished_ReturnsWithoutCaching(bool replaced)
    {
        _table.PublishStored([Authority.Issue("a.test")]);
        var old = Find("a.test")!;
        Take(replaced);

        Assert.NotNull(await _contexts.GetAsync(old));

        Assert.Null(old.Context);
        Assert.Equal(replaced ? 1 : 0, _contexts.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Offer_NoLongerPublished_NotPinned(bool replaced)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nothing is pinned elsewhere.");
        _table.PublishStored([Authority.Issue("a.test"), Authority.Issue("b.test")]);
        var old = Find("a.test")!;
        var options = await OptionsAsync(old);
        Take(replaced);

        _pins.Offer(old, options);
        Assert.Null(old.Pin);

        // Pins are created in order on another thread. If a later one exists, this one would exist, too.
        var other = Find("b.test")!;
        _pins.Offer(other, await OptionsAsync(other));
        await Poll.UntilAsync(() => other.Pin is not null && _pins.Count > 0, "the pin", cancellationToken: Cancelled);
        Assert.Equal(1, _pins.Count);
    }

    [Fact]
    public async Task OfferAndReplace_Concurrent_NothingOldStaysPinned()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nothing is pinned elsewhere.");
        _table.PublishStored([Authority.Issue("a.test")]);
        var seen = new List<CertificateEntry>();
        for (var i = 0; i < 50; i++)
        {
            var old = Find("a.test")!;
            var options = await OptionsAsync(old);
            await Task.WhenAll(
                Task.Run(() => _pins.Offer(old, options), Cancelled),
                Task.Run(() => _table.Publish(Authority.Issue("a.test")), Cancelled));
            seen.Add(old);
        }

        await Poll.UntilAsync(
            () => _pins.Count == 0 && seen.TrueForAll(old => old.Pin is null && old.Context is null),
            "no pin of what is gone",
            cancellationToken: Cancelled);
        Assert.Equal(1, _contexts.Count);
    }

    [Fact]
    public async Task GetAsync_CreationThrows_AllCallersFail()
    {
        using var chain = new FailingChain();
        var entry = new CertificateEntry(Authority.Issue("a.test"), chain, KeyKinds.EcdsaP256);
        var first = Task.Run(() => _contexts.GetAsync(entry).AsTask(), Cancelled);
        await Poll.UntilAsync(() => entry.Making is not null, "the making is under way", cancellationToken: Cancelled);
        var second = _contexts.GetAsync(entry).AsTask();
        chain.Fail();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => first.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => second.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled));
    }

    [Fact]
    public async Task Offer_PinningThrows_IsLoggedOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nothing is pinned elsewhere.");
        // Each offer reads the limit; if one certificate is pinned, pinning reads it again.
        var settings = new FailingSettings(reads: 2);
        var pins = new SessionPins(settings, TimeProvider.System, NullLogger<SessionPins>.Instance);
        _table.PublishStored([Authority.Issue("a.test"), Authority.Issue("b.test")]);
        var (first, second) = (Find("a.test")!, Find("b.test")!);
        var options = (First: await OptionsAsync(first), Second: await OptionsAsync(second));
        pins.Offer(first, options.First);
        await Poll.UntilAsync(() => pins.Count == 1, "the pin", cancellationToken: Cancelled);

        pins.Offer(second, options.Second);

        await Poll.UntilAsync(() => second.Pin is null, "the end of the attempt", cancellationToken: Cancelled);
        Assert.Equal(1, pins.Count);
    }

    private void Take(bool replaced)
    {
        if (replaced)
        {
            _table.Publish(Authority.Issue("a.test"));
        }
        else
        {
            _table.Withdraw("a.test");
        }
    }

    private async Task<SslServerAuthenticationOptions> OptionsAsync(CertificateEntry entry)
        => new() { ServerCertificateContext = await _contexts.GetAsync(entry), AllowTlsResume = true };

    private CertificateEntry? Find(string name) => _table.Find(name, KeyKinds.Ecdsa | KeyKinds.Rsa);

    /// <summary>Settings that throw after a few reads, in place of any bug.</summary>
    private sealed class FailingSettings(int reads) : ITlsSettingsSource
    {
        private int _reads = reads;

        public TlsSettings Current
            => Interlocked.Decrement(ref _reads) >= 0 ? new TlsSettings() : throw new InvalidOperationException("A defect.");
    }

    /// <summary>A chain that blocks its reader and then throws.</summary>
    private sealed class FailingChain : IReadOnlyList<ReadOnlyMemory<byte>>, IDisposable
    {
        private readonly ManualResetEventSlim _failing = new();

        public int Count => 1;

        public ReadOnlyMemory<byte> this[int index]
        {
            get
            {
                _failing.Wait(Cancelled);
                throw new InvalidOperationException("A defect.");
            }
        }

        public void Fail() => _failing.Set();

        public IEnumerator<ReadOnlyMemory<byte>> GetEnumerator() => throw new NotSupportedException();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public void Dispose() => _failing.Dispose();
    }
}
