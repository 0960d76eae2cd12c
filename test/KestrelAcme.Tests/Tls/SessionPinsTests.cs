using System.Net.Security;
using KestrelAcme.Testing;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class SessionPinsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestAuthority _authority = new();
    private readonly SessionPins _pins;

    public SessionPinsTests()
        => _pins = new SessionPins(
            new FixedTlsSettings(new TlsSettings { SessionCacheCertificates = 1 }), _time, NullLogger<SessionPins>.Instance);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Release_Pinned_MakesRoom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nothing is pinned elsewhere.");
        var (first, second) = (_authority.Entry("a.test"), _authority.Entry("b.test"));
        await PinnedAsync(first);

        _pins.Release(first);
        Assert.Equal(0, _pins.Count);
        Assert.Null(first.Pin);

        await PinnedAsync(second);
        Assert.Equal(1, _pins.Count);
    }

    [Fact]
    public async Task Offer_LimitReached_OnlyMuchHotterOneReplaces()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nothing is pinned elsewhere.");
        var (first, second) = (_authority.Entry("a.test"), _authority.Entry("b.test"));
        first.Touch(_time);
        await PinnedAsync(first);

        _time.Advance(TimeSpan.FromSeconds(2));
        _pins.Offer(second, Options(second));
        Assert.Null(second.Pin);

        _time.Advance(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 100; i++)
        {
            second.Touch(_time);
        }

        await PinnedAsync(second);
        await Poll.UntilAsync(() => first.Pin is null && _pins.Count == 1, "the first made way", cancellationToken: Cancelled);
    }

    private async Task PinnedAsync(CertificateEntry entry)
    {
        _pins.Offer(entry, Options(entry));
        await Poll.UntilAsync(() => entry.Pin is not null && _pins.Count == 1, "the pin", cancellationToken: Cancelled);
    }

    private static SslServerAuthenticationOptions Options(CertificateEntry entry)
        => new() { ServerCertificateContext = CertificateContextFactory.Create(entry, out _), AllowTlsResume = true };
}
