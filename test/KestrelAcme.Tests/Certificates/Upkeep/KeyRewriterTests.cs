using System.Collections.Concurrent;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Protection;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Scheduling;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Protection;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Upkeep;

/// <summary>Which stored keys are encrypted after the start, and what that costs.</summary>
public sealed class KeyRewriterTests
{
    private const string Free = "certificates/free.test.pem";
    private const string Held = "certificates/held.test.pem";

    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage = new(TimeProvider.System);
    private readonly ConcurrentQueue<string> _read = new();
    private int _asked;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_LeaseOfOneIsHeld_ReadsOnlyThatOneAgain()
    {
        await StoredCertificates.WriteAsync(_storage, "free.test", null, "free.test");
        await StoredCertificates.WriteAsync(_storage, "held.test", null, "held.test");
        var name = StorageLayout.OrderLease(Identifiers.NameSet(["held.test"]));
        var lease = await _storage.TryAcquireLeaseAsync(name, TimeSpan.FromDays(1), Cancelled);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = RunAsync(name, stopping.Token);

        await UntilAsync(() => _asked > 1);
        Assert.True(await IsEncryptedAsync(Free));
        Assert.False(await IsEncryptedAsync(Held));
        _read.Clear();
        var before = _asked;
        await UntilAsync(() => _asked > before + 2);
        Assert.DoesNotContain(Free, _read);

        await lease!.DisposeAsync();
        await UntilAsync(async () => await IsEncryptedAsync(Held));
        await stopping.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Run_NamesCannotBeRead_IsLeftToThoseWhoHoldItsLease()
    {
        await StoredCertificates.WriteAsync(_storage, "free.test", null, "free.test");
        await StoredCertificates.WriteAsync(_storage, "held.test", null, "held.test");
        var text = Encoding.UTF8.GetString((await _storage.ReadAsync(Held, Cancelled))!.Value.Span);
        var damaged = Encoding.UTF8.GetBytes(text.Replace("BEGIN CERTIFICATE", "BEGIN CERTIFICATE?", StringComparison.Ordinal));
        await _storage.WriteAsync(Held, damaged, cancellationToken: Cancelled);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = RunAsync("", stopping.Token);

        await UntilAsync(async () => await IsEncryptedAsync(Free));
        await UntilAsync(() => _read.Contains(Held));
        await stopping.CancelAsync();
        await running;

        Assert.Equal(damaged, (await _storage.ReadAsync(Held, Cancelled))!.Value.ToArray());
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void MayRewrite_RingOfDataProtection_IsPersistedBeforeStoredKeysAreEncrypted(bool isPersisted, bool encrypts, bool mayRewrite)
    {
        using var folder = new TemporaryFolder();
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<IHostEnvironment>(new Microsoft.Extensions.Hosting.Internal.HostingEnvironment { ContentRootPath = "/app" });
        var ring = services.AddDataProtection().SetApplicationName("tests");
        _ = isPersisted ? ring.PersistKeysToFileSystem(new DirectoryInfo(folder.Path)) : ring.UseEphemeralDataProtectionProvider();
        services.AddSingleton<DataProtectionKeyProtector>();
        using var provider = services.BuildServiceProvider();

        var protection = new KeyProtection([provider.GetRequiredService<DataProtectionKeyProtector>()], encrypts, ProtectionFixture.Places);

        Assert.Equal(mayRewrite, protection.MayRewrite);
    }

    private Task RunAsync(string lease, CancellationToken stopping)
    {
        var watched = new FailingStorage(_storage)
        {
            Unreadable = key =>
            {
                _read.Enqueue(key);
                return false;
            },
            BeforeLease = name =>
            {
                _asked += name == lease ? 1 : 0;
                return Task.CompletedTask;
            },
        };
        var protection = ProtectionFixture.Protection();
        return new KeyRewriter(
            ProtectionFixture.Around(watched, protection), protection, new CertificateCatalog(new RecordingPublisher()),
            new IssuanceStatus { ReasonNotToOrder = null }, new IssuanceSettings(), _time, NullLogger.Instance).RunAsync(stopping);
    }

    private async Task<bool> IsEncryptedAsync(string key)
        => Encoding.UTF8.GetString((await _storage.ReadAsync(key, Cancelled))!.Value.Span)
            .Contains("PROTECTED KEY", StringComparison.Ordinal);

    private Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private Task UntilAsync(Func<Task<bool>> condition) => Poll.UntilAsync(
        async _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            return await condition();
        },
        $"the next step, after {string.Join(", ", _read)}",
        cancellationToken: Cancelled);
}
