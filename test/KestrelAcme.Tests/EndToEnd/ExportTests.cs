using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What other programs find in <c>ExportPath</c>, by openssl's own eyes.</summary>
public sealed class ExportTests
{
    private const string Name = "app.test";
    private static readonly string[] Layout = ["cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_IssuedAndRenewed_IsCertbotsLayoutWithTheMatchingKey()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (settings, folder) = Settings(fixture);
        await using var app = await fixture.ServeAsync(settings);
        await ExportedAsync(app, folder);

        await app.Certificates.RenewAsync(Name, Cancelled);

        await ExportedAsync(app, folder);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Export_Pfx_HoldsTheSameAndIsKeptUntilItIsTurnedOff()
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        var (settings, export) = Settings(fixture);
        settings["AcmeHttps:ExportPfx"] = "true";
        settings["AcmeHttps:ExportPfxPasswordFile"] = folder.Write("password", "secret of pfx\n");
        var path = Path.Join(export, "certificate.pfx");
        string? version;
        await using (var app = await fixture.ServeAsync(settings))
        {
            await Poll.UntilAsync(() => File.Exists(path), () => $"the export\n{app.Log}", cancellationToken: Cancelled);
            var chain = X509CertificateLoader.LoadPkcs12Collection(await File.ReadAllBytesAsync(path, Cancelled), "secret of pfx");
            var leaf = await app.ConnectAsync(Name, Cancelled);
            Assert.Contains(chain, c => c.HasPrivateKey && c.SerialNumber == leaf.SerialNumber);
            Assert.True(chain.Count > 1);
            if (!OperatingSystem.IsWindows())
            {
                var mode = File.GetUnixFileMode(Path.Join(export, "..data/certificate.pfx"));
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
            }

            version = new FileInfo(Path.Join(export, "..data")).LinkTarget;
            await app.StopAsync(Cancelled);
        }

        settings.Remove("urls");
        await using (var app = await fixture.StartAppAsync(settings))
        {
            await app.StopAsync(Cancelled);
        }

        Assert.Equal(version, new FileInfo(Path.Join(export, "..data")).LinkTarget);
        await using var without = await fixture.StartAppAsync(Settings(fixture).Settings);
        await without.Certificates.RenewAsync(Name, Cancelled);
        await Poll.UntilAsync(() => !File.Exists(path), () => $"it is gone\n{without.Log}", cancellationToken: Cancelled);
        Assert.DoesNotContain("secret of pfx", without.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ExportMissing_IsWrittenFromTheStore()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (settings, folder) = Settings(fixture);
        await fixture.FillStoreAsync(Name);

        await using var second = await fixture.StartAppAsync(settings);

        await Poll.UntilAsync(() => Directory.Exists(folder), "the export", cancellationToken: Cancelled);
        await ExportedAsync(second, folder);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Renew_SomebodyPutAPipeAndAnEndlessDeviceThere_IsRenewedAndExported()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes and devices are Unix's.");
        await using var fixture = await LocalFixture.StartAsync();
        var (settings, folder) = Settings(fixture);
        await using var app = await fixture.ServeAsync(settings);
        await ExportedAsync(app, folder);
        await Command.RunAsync(
            "sh",
            ["-c", $"cd '{folder}' && ln -sfn /dev/zero cert.pem && rm privkey.pem && mkfifo privkey.pem"],
            cancellationToken: Cancelled);

        await app.Certificates.RenewAsync(Name, Cancelled).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);

        await ExportedAsync(app, folder);
    }

    [Fact]
    public async Task Renew_ExportCannotBeWritten_GoesOnAndNamesTheFolder()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (settings, folder) = Settings(fixture);
        settings["AcmeHttps:ExportPath"] = fixture.RootPath;
        await using var app = await fixture.ServeAsync(settings);

        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.False(Directory.Exists(folder));
        Assert.Contains(
            app.Log.Lines, l => l.Event.Name == "ExportFailed" && l.Message.Contains("set ExportPath to", StringComparison.Ordinal));
    }

    private static (Dictionary<string, string?> Settings, string Folder) Settings(LocalFixture fixture)
    {
        var settings = fixture.Settings(Name);
        var path = Path.Join(Path.GetDirectoryName(fixture.RootPath), "export");
        settings["AcmeHttps:ExportPath"] = path;
        return (settings, Path.Join(path, Name));
    }

    private static async Task ExportedAsync(AcmeApp app, string folder)
    {
        Assert.Equal(Layout, Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var leaf = X509Certificate2.CreateFromPemFile(Path.Join(folder, "fullchain.pem"), Path.Join(folder, "privkey.pem"));
        Assert.Equal(app.Certificates.Find(Name)!.SerialNumber, leaf.SerialNumber);
        Assert.Equal(
            await OpenSslAsync("x509", "-noout", "-pubkey", "-in", Path.Join(folder, "cert.pem")),
            await OpenSslAsync("pkey", "-pubout", "-in", Path.Join(folder, "privkey.pem")));
    }

    private static async Task<string> OpenSslAsync(params string[] arguments)
    {
        var openssl = RequireServer.Installed("openssl", "openssl");
        await using var process = ChildProcess.Start(openssl, arguments);
        Assert.Equal(0, await process.WaitForExitAsync(cancellationToken: Cancelled));
        return process.Output;
    }
}
