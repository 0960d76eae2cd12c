using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class RequestPacesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void For_PrivateAuthority_IsNone() => Assert.Null(new RequestPaces(_time).For(new Uri("https://ca.internal/directory")));

    [Fact]
    public void For_OneHost_IsSharedWhateverThePath()
    {
        var paces = new RequestPaces(_time);
        var production = WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncrypt)!.DirectoryUrl;
        var staging = WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncryptStaging)!.DirectoryUrl;

        Assert.Same(paces.For(production), paces.For(new Uri(production, "/other")));
        Assert.NotSame(paces.For(production), paces.For(staging));
    }

    [Fact]
    public async Task For_StagingRehearsalOfAHundredNames_StaysBelowTwentyPerSecond()
    {
        var pace = new RequestPaces(_time).For(WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncryptStaging)!.DirectoryUrl)!;
        var waits = Enumerable.Range(0, 300)
            .Select(_ => pace.WaitAsync(AcmeRequestKind.Other, TestContext.Current.CancellationToken))
            .ToList();

        var before = waits.Count(wait => wait.IsCompleted);
        Assert.InRange(before, 1, 20);
        while (waits.Exists(wait => !wait.IsCompleted))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var now = waits.Count(wait => wait.IsCompleted);
            Assert.InRange(now - before, 1, 20);
            before = now;
        }

        await Task.WhenAll(waits);
    }
}
