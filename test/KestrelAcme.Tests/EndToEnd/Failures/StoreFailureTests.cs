using KestrelAcme.Certificates;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Failures;

/// <summary>A store that cannot be written, and one that is damaged.</summary>
public sealed class StoreFailureTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_StoreBelowAFile_RunsAndOrdersNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:StoragePath"] = Path.Join(fixture.RootPath, "store");
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await FailedAsync(app, FailureCause.Local);

        Assert.True((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
        Assert.Contains(fixture.RootPath, app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
        Assert.True(app.Log.Has("StoreNeedsAttention"));
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
    }

    [Fact]
    public async Task Order_IntentCannotBeStored_IsNotPlaced()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = Storage(fixture);
        storage.Refuses = key => key.StartsWith("states/", StringComparison.Ordinal);
        await using var app = await StartAsync(fixture, storage);

        await FailedAsync(app, FailureCause.Local);
        Assert.Contains("The disk is full", app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);

        storage.Refuses = _ => false;
        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Order_CertificateCannotBeStored_IsServedFromMemoryAndStoredLater()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = Storage(fixture);
        storage.Refuses = key => key.StartsWith("certificates/", StringComparison.Ordinal);
        await using var app = await StartAsync(fixture, storage);

        await app.ObtainedAsync(Name);
        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.True(app.Log.Has("CertificateNotStored"));

        storage.Refuses = _ => false;
        await Poll.UntilAsync(
            async token => await storage.ReadAsync($"certificates/{Name}.pem", token) is not null,
            "the certificate in the store",
            cancellationToken: Cancelled);
        await app.StopAsync(Cancelled);
        Assert.Single(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
    }

    [Fact]
    public async Task SecondStart_CertificateWasNeverStored_IsFetchedAgainWithoutAnOrder()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = Storage(fixture);
        storage.Refuses = key => key.StartsWith("certificates/", StringComparison.Ordinal);
        await using (var first = await StartAsync(fixture, storage))
        {
            await first.ObtainedAsync(Name);
            await first.StopAsync(Cancelled);
        }

        await using var second = await StartAsync(fixture, Storage(fixture));
        await second.ObtainedAsync(Name);

        Assert.Single(fixture.Authority.Issued);
        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, second.Certificates.Find(Name)!.SerialNumber);
    }

    [Theory]
    [InlineData("certificates/app.test.pem", "garbage")]
    [InlineData("certificates/app.test.pem", "truncated")]
    [InlineData("certificates/app.test.pem", "other")]
    [InlineData("certificates/app.test.pem", "content")]
    [InlineData("states/app.test.json", "garbage")]
    [InlineData("states/app.test.json", "truncated")]
    [InlineData("states/app.test.json", "empty")]
    [InlineData("accounts", "garbage")]
    [InlineData("accounts", "truncated")]
    [InlineData("accounts", "content")]
    public async Task Start_DamagedFile_IsSetAsideAndReplaced(string path, string damage)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name, "other.test");

        var file = Directory.EnumerateFiles(fixture.StorePath, "*", SearchOption.AllDirectories)
            .Single(
                f => Path.GetRelativePath(fixture.StorePath, f).StartsWith(path, StringComparison.Ordinal)
                    && !f.Contains(".leases", StringComparison.Ordinal)
                    && !f.Contains('~', StringComparison.Ordinal));
        Damage(file, damage);

        await using var second = await fixture.StartAppAsync(fixture.Settings(Name, "other.test"), configure: QuickIssuance.Apply);
        await second.ObtainedAsync("other.test");
        if (path.StartsWith("accounts", StringComparison.Ordinal))
        {
            await second.Certificates.RenewAsync(Name, Cancelled);
        }
        else if (path.StartsWith("certificates", StringComparison.Ordinal))
        {
            await Poll.UntilAsync(
                () => fixture.Authority.Issued.Count == 3,
                () => $"a new certificate\n{second.Log}",
                cancellationToken: Cancelled);
        }

        await Poll.UntilAsync(() => File.Exists(file), "the file again", cancellationToken: Cancelled);
        await Poll.UntilAsync(
            async _ => !(await second.ConnectAsync(Name, Cancelled)).IsSelfSigned,
            "a certificate",
            cancellationToken: Cancelled);
        Assert.True(File.Exists(file + ".damaged"));
        Assert.Contains(second.Log.At(LogLevel.Error), l => l.Event.Name == "ValueSetAside");
    }

    [Fact]
    public async Task Run_DamagedFileAppears_OthersAreStillFollowed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name, "other.test"), configure: QuickIssuance.Apply);
        await app.ObtainedAsync(Name);
        await app.ObtainedAsync("other.test");
        var before = (await app.ConnectAsync(Name, Cancelled)).SerialNumber;
        Damage(Path.Join(fixture.StorePath, "certificates", Name + ".pem"), "content");

        await Poll.UntilAsync(() => app.Log.Has("ValueSetAside"), "the damaged file to be set aside", cancellationToken: Cancelled);

        Assert.Equal(before, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        await app.Certificates.RenewAsync(Name, Cancelled);
        Assert.NotEqual(before, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Start_DamagedFileInAStoreThatCannotBeWritten_TheOthersAreServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name, "other.test");

        Damage(Path.Join(fixture.StorePath, "certificates", Name + ".pem"), "garbage");
        var storage = Storage(fixture);
        storage.Refuses = _ => true;
        await using var second = await fixture.StartAppAsync(
            fixture.Settings(Name, "other.test"), configure: QuickIssuance.Apply, storage: storage);

        Assert.False((await second.ConnectAsync("other.test", Cancelled)).IsSelfSigned);
        Assert.True((await second.ConnectAsync(Name, Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Start_KeyFileReadableByOthers_Warns()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are Unix's.");
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);

        var file = Path.Join(fixture.StorePath, "certificates", Name + ".pem");
#pragma warning disable CA1416 // Skipped above.
        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);
#pragma warning restore CA1416
        await using var second = await fixture.StartAppAsync(fixture.Settings(Name));

        Assert.Contains(
            second.Log.At(LogLevel.Warning),
            l => l.Message.Contains(file, StringComparison.Ordinal) && l.Message.Contains("chmod 600", StringComparison.Ordinal));
    }

    private static WatchedStorage Storage(LocalFixture fixture)
        => new(new FileSystemStorage(fixture.StorePath, TimeProvider.System, NullLogger<FileSystemStorage>.Instance));

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage)
        => fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply, storage: storage);

    private static Task FailedAsync(AcmeApp app, FailureCause cause) => Poll.UntilAsync(
        () => app.Certificates.Find(Name)?.Failure?.Cause == cause, () => $"a failure\n{app.Log}", cancellationToken: Cancelled);

    private static void Damage(string file, string damage)
    {
        var text = File.ReadAllText(file);
        File.WriteAllText(file, damage switch
        {
            "garbage" => "\0\u0001 nothing of ours",
            "empty" => "",
            "truncated" => text[..(text.Length * 2 / 3)],
            "other" => File.ReadAllText(Path.Join(Path.GetDirectoryName(file), "other.test.pem")) is var other
                ? text[..text.IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal)] + other[other.IndexOf(
                    "-----BEGIN PRIVATE KEY", StringComparison.Ordinal)..]
                : "",

            // Sound armour around bytes that mean nothing.
            _ => System.Text.RegularExpressions.Regex.Replace(text, "-----BEGIN ([A-Z ]+)-----[^-]+", "-----BEGIN $1-----\nAAAAAAAA\n"),
        });
    }
}
