using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store with things in it that are no values, and on a disk that is full.</summary>
public sealed class OddStoreTests
{
    private const string Name = "app.test";
    private const string Other = "other.test";

    private static readonly IssuanceSettings Quick = QuickIssuance.Settings with { StoreRetry = TimeSpan.FromMilliseconds(300) };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("certificates/app.test.pem")]
    [InlineData("states/app.test.json")]
    public async Task Start_FolderInThePlaceOfAFile_TheOtherNameIsServedAndRenewedAndFewOrdersArePlaced(string path)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name, Other);
        var file = Path.Combine(fixture.StorePath, path);
        File.Delete(file);
        Directory.CreateDirectory(file);

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name, Other), configure: Configure);
        Assert.False((await app.ConnectAsync(Other, Cancelled)).IsSelfSigned);
        await app.Certificates.RenewAsync(Other, Cancelled);
        await Poll.UntilAsync(
            () => app.Log.Lines.Any(line => line.Level >= LogLevel.Warning && line.Message.Contains(Name, StringComparison.Ordinal)),
            () => $"a word about it\n{app.Log}", cancellationToken: Cancelled);
        for (var i = 0; i < 5; i++)
        {
            await Record.ExceptionAsync(() => app.Certificates.RenewAsync(Other, Cancelled));
        }

        var orders = fixture.Authority.Issued.Count(issued => issued.Identifiers.Contains(Name));
        Assert.True(orders <= 3, $"{orders} orders\n{app.Log}");

        // The folder is moved away: the name is renewed and stored again.
        Directory.Delete(file, recursive: true);
        await Poll.UntilAsync(
            async _ => await Record.ExceptionAsync(() => app.Certificates.RenewAsync(Name, Cancelled)) is null,
            () => $"a renewal\n{app.Log}",
            cancellationToken: Cancelled);
        await app.ObtainedAsync(Name);
        await Poll.UntilAsync(
            () => File.Exists(Path.Combine(fixture.StorePath, "certificates", "app.test.pem")),
            () => $"its file\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.False((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Start_AccountIsAFolder_NothingIsOrderedUntilItIsMovedAway()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        var file = Directory.GetFiles(Path.Combine(fixture.StorePath, "accounts")).Single();
        File.Delete(file);
        Directory.CreateDirectory(file);

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: Configure);
        Assert.False((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        Assert.Single(fixture.Authority.Issued);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });

        // The renewal that was asked for is made without being asked for again.
        Directory.Delete(file);
        await Poll.UntilAsync(() => fixture.Authority.Issued.Count == 2, $"the renewal\n{app.Log}", cancellationToken: Cancelled);
        await app.ObtainedAsync(Name);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Start_StrangeFilesBesideTheValues_ArePassedOver()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        var folder = Path.Combine(fixture.StorePath, "certificates");
        var pem = await File.ReadAllBytesAsync(Path.Combine(folder, "app.test.pem"), Cancelled);
        string[] strange =
        [
            "APP.TEST.pem", "App.Test.PEM", "app.test.pem.bak", "app.test (1).pem", ".app.test.pem.swp", "app.test.pem~", "*.pem",
            "%zz.pem", "Thumbs.db", "-rf", "\u00e4.pem",
        ];
        foreach (var name in strange)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name), name.Length % 2 == 0 ? pem : [], Cancelled);
        }

        await using var app = await fixture.ServeAsync(Name);
        var leaf = await app.ConnectAsync(Name, Cancelled);
        Assert.Contains(fixture.Authority.Issued, c => c.SerialNumber == leaf.SerialNumber);
        Assert.Single(fixture.Authority.Issued);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.Empty(app.Log.Lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.ToString()));
    }

    [Fact]
    public async Task Run_DiskIsFull_NothingIsOrderedThatCannotBeStored()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("127.0.0.1 localhost\n", Cancelled);
            return;
        }

        await using var fixture = await LocalFixture.StartAsync();
        Directory.CreateDirectory(fixture.StorePath);
        string[] disk = ["-t", "tmpfs", "-o", "size=256k", "none", fixture.StorePath];
        await Command.RunToSuccessAsync("mount", disk, cancellationToken: Cancelled);
        try
        {
            await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: Configure);
            await app.ObtainedAsync(Name);

            var filler = Path.Combine(fixture.StorePath, "filler");
            Fill(filler);
            var orders = fixture.Authority.Requests.Count(request => request.Resource == ResourceKind.NewOrder);
            for (var i = 0; i < 3; i++)
            {
                Assert.NotNull(await Record.ExceptionAsync(() => app.Certificates.RenewAsync(Name, Cancelled)));
            }

            Assert.Equal(orders, fixture.Authority.Requests.Count(request => request.Resource == ResourceKind.NewOrder));
            Assert.Single(fixture.Authority.Issued);
            Assert.False((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);

            File.Delete(filler);
            await Poll.UntilAsync(_ => RenewsAsync(app), () => $"a renewal once there is room\n{app.Log}", cancellationToken: Cancelled);
        }
        finally
        {
            await Command.RunAsync("umount", ["-l", fixture.StorePath], cancellationToken: CancellationToken.None);
        }
    }

    private static void Configure(WebApplicationBuilder builder) => builder.Services.AddSingleton(Quick);

    private static async Task<bool> RenewsAsync(AcmeApp app)
        => await Record.ExceptionAsync(() => app.Certificates.RenewAsync(Name, Cancelled)) is null;

    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(new byte[512]);
            }
        }
        catch (IOException)
        {
            // There is no room any more.
        }
    }
}
