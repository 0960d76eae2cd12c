using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>A folder that hangs delays neither the certificate whose export hangs nor any other.</summary>
public sealed class CertificateExporterTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ExportAsync_FolderHangs_DelaysNothingAndExportsAllInTheEnd()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The folder hangs where a link is made.");
        using var folder = new TemporaryFolder();
        using var answer = new ManualResetEventSlim();
        var (time, log) = (new FakeTimeProvider(), new LogRecorder());
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(log));
        var configuration = new ConfigurationSource(
            () => new ConfigurationSnapshot { StoragePath = "", ExportPath = folder.Combine("live") },
            NullLogger<ConfigurationSource>.Instance);
        using var exporter = new CertificateExporter(
            configuration,
            time,
            loggers,
            (path, target) =>
            {
                answer.Wait(CancellationToken.None);
                File.CreateSymbolicLink(path, target);
            });
        var now = TimeProvider.System.GetUtcNow();
        var (one, other) = (
            SampleCertificates.Snapshot("a.test", now, now.AddDays(90)).Record,
            SampleCertificates.Snapshot("b.test", now, now.AddDays(90)).Record);

        var first = exporter.ExportAsync("a.test", one, Cancelled);
        await AdvanceUntilAsync(() => first.IsCompleted, "who asks first waits no longer");
        await AdvanceUntilAsync(() => log.Has("ExportFailed"), "it is said");
        await exporter.ExportAsync("b.test", other, Cancelled).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);
        Assert.Contains("did not end within 30 s", Assert.Single(log.At(LogLevel.Error)).Message, StringComparison.Ordinal);

        answer.Set();

        await Poll.UntilAsync(
            () => new[] { "a.test", "b.test" }.All(name => File.Exists(folder.Combine("live", name, "privkey.pem"))),
            "both are exported",
            cancellationToken: Cancelled);

        Task AdvanceUntilAsync(Func<bool> condition, string what) => Poll.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return condition();
            },
            what,
            cancellationToken: Cancelled);
    }
}
