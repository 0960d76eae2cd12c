using System.Diagnostics;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class ManyNamesTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Start_ManyNames_AllAreObtained()
    {
        const int count = 100;
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { NonceRejectPercent = 5 });
        var began = Stopwatch.GetTimestamp();
        await using var app = await fixture.StartAppAsync([.. Enumerable.Range(0, count).Select(i => $"name-{i}.test")]);

        await Poll.UntilAsync(
            () => app.Certificates.List().Count(c => c.State == CertificateState.Valid) == count,
            $"{count} certificates",
            TimeSpan.FromMinutes(1),
            TestContext.Current.CancellationToken);

        output.WriteLine($"{count} certificates in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.False(app.Log.Has("CertificateFailed"));
        Assert.Equal(count, app.Certificates.List().Select(c => c.SerialNumber).Distinct().Count());
    }
}
