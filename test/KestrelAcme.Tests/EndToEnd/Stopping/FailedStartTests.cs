using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using KestrelAcme.Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>A host whose start fails is disposed of, but not stopped; and services may be disposed of without a host.</summary>
public sealed class FailedStartTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_PortInUse_LeavesTheFleetAndTheStore()
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var storage = new CountingStorage(new InMemoryStorage(TimeProvider.System));
        var settings = fixture.Settings("app.test");
        settings["urls"] = $"http://{other.LocalEndpoint}";

        await Assert.ThrowsAnyAsync<IOException>(() => AcmeApp.StartAsync(
            settings,
            acme: acme => acme.AddOnDemand((_, _, _) => new(IssuanceDecision.Deny())),
            storage: storage,
            cancellationToken: Cancelled));

        Assert.Contains(storage.Written, key => key.StartsWith("replicas/", StringComparison.Ordinal));
        Assert.Empty(await storage.ListAsync("replicas/", Cancelled).ToListAsync(Cancelled));
        await Poll.UntilAsync(
            () => storage.Watches.All(w => w.Value == 0),
            () => string.Join(", ", storage.Watches),
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Dispose_WithoutAHost_Succeeds()
    {
        using var folder = new TemporaryFolder();
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["AcmeHttps:StoragePath"] = folder.Path, ["AcmeHttps:AcceptTermsOfService"] = "true" });
        builder.Services.AddAcmeHttps();
        var provider = builder.Services.BuildServiceProvider();

        Assert.Empty(provider.GetRequiredService<ICertificateManager>().List());
        Assert.NotEmpty(provider.GetServices<IHostedService>());

        // As "using var provider" does in a tool. A host disposes of its services asynchronously.
        await Task.Run(provider.Dispose, Cancelled);
    }

    private sealed class CountingStorage(IAcmeStorage inner) : DelegatingStorage(inner)
    {
        private readonly ConcurrentQueue<string> _written = new();

        /// <summary>How many watches of a prefix have begun and not ended.</summary>
        public ConcurrentDictionary<string, int> Watches { get; } = new();

        public IReadOnlyCollection<string> Written => _written;

        public override ValueTask WriteAsync(
            string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        {
            _written.Enqueue(key);
            return base.WriteAsync(key, value, lease, cancellationToken);
        }

        public override async IAsyncEnumerable<StorageChange> WatchAsync(
            string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            Watches.AddOrUpdate(prefix, 1, (_, count) => count + 1);
            try
            {
                await foreach (var change in base.WatchAsync(prefix, cancellationToken))
                {
                    yield return change;
                }
            }
            finally
            {
                Watches.AddOrUpdate(prefix, 0, (_, count) => count - 1);
            }
        }
    }
}
