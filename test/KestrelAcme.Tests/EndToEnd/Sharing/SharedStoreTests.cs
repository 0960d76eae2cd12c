using System.Net;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>Several instances with one store and one set of names.</summary>
public sealed class SharedStoreTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Start_SeveralHosts_OneOrdersAndAllServe(int count)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var apps = new List<AcmeApp>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                // Each start points the authority at the newest instance, which seldom is the one that orders.
                var settings = fixture.Settings(Name);
                apps.Add(await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply));
            }

            foreach (var app in apps)
            {
                await app.ObtainedAsync(Name);
                Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
            }

            Assert.Single(fixture.Authority.Issued);

            // At once after the first: both begin to be valid in the same second.
            var renewed = (await apps[^1].Certificates.RenewAsync(Name, Cancelled)).SerialNumber;
            foreach (var app in apps)
            {
                await Poll.UntilAsync(
                    async _ => (await app.ConnectAsync(Name, Cancelled)).SerialNumber == renewed,
                    () => $"the renewed certificate\n{app.Log}",
                    cancellationToken: Cancelled);
            }

            Assert.Equal(2, fixture.Authority.Issued.Count);
        }
        finally
        {
            foreach (var app in apps)
            {
                await app.StopAsync(Cancelled);
                await app.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Order_AuthorityAsksAnotherInstance_IsAnswered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var answering = fixture.Settings(Name);
        answering["AcmeHttps:Issuance"] = "ServeOnly";
        await using var other = await fixture.StartAppAsync(answering);
        await using var ordering = await fixture.StartAppAsync(fixture.Settings(Name));
        fixture.Authority.Resolve(Name, other.Http);

        await ordering.Certificates.RenewAsync(Name, Cancelled)
            .ContinueWith(_ => { }, Cancelled, TaskContinuationOptions.None, TaskScheduler.Default);
        await ordering.ObtainedAsync(Name);
        await other.ObtainedAsync(Name);

        Assert.True(other.Log.Has("TokenAnswered"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Start_SeveralProcesses_OneOrdersAndAllServe(int count)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var ports = Enumerable.Range(0, count).Select(_ => FreePort.Tcp()).ToList();
        fixture.Authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, ports[^1]));
        var apps = ports.ConvertAll(port => TestAppProcess.Start(fixture.Settings(Name), port));
        try
        {
            foreach (var app in apps)
            {
                await app.ListeningAsync();
                await app.ValidAsync(Name);
                Assert.Equal(fixture.Authority.Issued[^1].SerialNumber, (await app.ConnectAsync(Name)).SerialNumber);
            }

            Assert.Single(fixture.Authority.Issued);
            using (var response = await apps[0].RenewAsync(Name))
            {
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            }

            var renewed = fixture.Authority.Issued[^1].SerialNumber;
            foreach (var app in apps)
            {
                await Poll.UntilAsync(
                    async _ => (await app.ConnectAsync(Name)).SerialNumber == renewed,
                    () => $"the renewed certificate\n{app.Output}",
                    cancellationToken: Cancelled);
            }

            Assert.Equal(2, fixture.Authority.Issued.Count);
        }
        finally
        {
            foreach (var app in apps)
            {
                await app.DisposeAsync();
            }
        }
    }
}
