using System.Net.Security;
using KestrelAcme.Testing;
using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class SslContextPinTests
{
    private readonly TestAuthority _authority = new();
    private readonly LogRecorder _log = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Begin_Certificate_WaitsUntilItIsEnded()
    {
        var handshake = SslContextPin.Begin(Options(), _log.For<SessionPins>());
        await Task.Yield();
        Assert.False(_log.Has("PinEnded"));

        handshake.End();

        await Poll.UntilAsync(() => _log.Has("PinEnded"), "the end", cancellationToken: Cancelled);
    }

    private SslServerAuthenticationOptions Options()
        => new() { ServerCertificateContext = CertificateContextFactory.Create(_authority.Entry("a.test"), out _) };
}
