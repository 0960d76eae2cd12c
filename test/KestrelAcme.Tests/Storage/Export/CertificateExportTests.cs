using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Export;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.Storage.Export;

public sealed class CertificateExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CertificateExport _export;

    public CertificateExportTests()
        => _export = new(_folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_New_WritesCertbotsFourFiles()
    {
        var (leaf, key) = Make("leaf");
        var (issuer, _) = Make("issuer");
        await _export.WriteAsync("example.com", leaf + issuer, key, Token);
        Assert.Equal(leaf, await ReadAsync("example.com", "cert.pem"));
        Assert.Equal(issuer, await ReadAsync("example.com", "chain.pem"));
        Assert.Equal(leaf + issuer, await ReadAsync("example.com", "fullchain.pem"));
        Assert.Equal(key, await ReadAsync("example.com", "privkey.pem"));
        using var loaded = X509Certificate2.CreateFromPemFile(
            _folder.Combine("live", "example.com", "fullchain.pem"), _folder.Combine("live", "example.com", "privkey.pem"));
        Assert.True(loaded.HasPrivateKey);
    }

    [Fact]
    public async Task WriteAsync_OnUnix_FilesAreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has access lists.");
        await WriteAsync("a");
        var paths = Directory.GetFileSystemEntries(_folder.Combine("live"), "*", SearchOption.AllDirectories);
        foreach (var path in paths.Where(path => new FileInfo(path).LinkTarget is null))
        {
            var mode = OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);
            Assert.Equal(Directory.Exists(path) ? "700" : "600", Convert.ToString((int)mode, 8));
        }
    }

    [Fact]
    public async Task WriteAsync_Often_KeepsTheCurrentAndTheOneBefore()
    {
        for (var i = 0; i < 5; i++)
        {
            await WriteAsync("a");
        }

        Assert.Equal(
            ["..4", "..5", "..data"],
            Directory.GetDirectories(_folder.Combine("live", "a")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(["a"], Directory.GetFileSystemEntries(_folder.Combine("live")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WriteAsync_FolderIsHeldOpen_TheHolderSeesEveryNewCertificate(bool links)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A folder is held by way of /proc.");
        using var export = Export(links: links);
        var (first, key) = Make("a");
        await export.WriteAsync("a", first, key, Token);

        // Like a bind mount: it shows this folder, whatever happens to its path.
        using var held = new FolderHandle(_folder.Combine("live", "a"));
        for (var i = 0; i < 4; i++)
        {
            var (certificate, nextKey) = Make("a");
            await export.WriteAsync("a", certificate, nextKey, Token);
            Assert.Equal(certificate, await File.ReadAllTextAsync(Path.Join(held.Path, "cert.pem"), Token));
            Assert.Equal(nextKey, await File.ReadAllTextAsync(Path.Join(held.Path, "privkey.pem"), Token));
        }
    }

    [Fact]
    public async Task WriteAsync_FolderIsMountedElsewhere_TheMountSeesEveryNewCertificate()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Mounting needs root on Linux.");
        await WriteAsync("a");
        var (second, third) = (Make("a"), Make("a"));
        var mount = _folder.Combine("mount");
        Directory.CreateDirectory(mount);
        await File.WriteAllTextAsync(_folder.Combine("go"), "", Token);
        var script = $"mount --bind '{_folder.Combine("live", "a")}' '{mount}' && touch '{_folder.Combine("mounted")}' "
            + $"&& while [ -e '{_folder.Combine("go")}' ]; do sleep 0.05; done; cat '{mount}/cert.pem'";
        var running = Command.RunAsync("unshare", ["--mount", "sh", "-c", script], cancellationToken: Token);
        await Poll.UntilAsync(() => File.Exists(_folder.Combine("mounted")) || running.IsCompleted, "the mount", cancellationToken: Token);
        if (running.IsCompleted)
        {
            RequireServer.Missing($"a mount namespace cannot be made: {(await running).Output}");
        }

        await _export.WriteAsync("a", second.Certificate, second.Key, Token);
        await _export.WriteAsync("a", third.Certificate, third.Key, Token);
        File.Delete(_folder.Combine("go"));

        Assert.Equal(third.Certificate.Trim(), (await running).Output.Trim());
    }

    [Fact]
    public async Task WriteAsync_LinksCannotBeMade_FilesAreWrittenInPlaceAndNothingIsLeft()
    {
        using var export = Export(links: false);
        for (var i = 0; i < 3; i++)
        {
            var (certificate, key) = Make("a");
            await export.WriteAsync("a", certificate, key, Token);
            Assert.Equal(certificate, await ReadAsync("a", "cert.pem"));
            Assert.Equal(key, await ReadAsync("a", "privkey.pem"));
        }

        Assert.Equal(
            ["..files", "cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"],
            Directory.GetFileSystemEntries(_folder.Combine("live", "a")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Single(Directory.GetFiles(_folder.Combine("live"), "*", SearchOption.AllDirectories), IsKey);
    }

    [Fact]
    public async Task UpdateAsync_FormerLayout_VersionBecomesTheFolder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A folder is held by way of /proc.");
        var (old, oldKey) = Make("a");
        foreach (var version in new[] { "3", "4", "5" })
        {
            _folder.Write($"live/.versions/a/{version}/cert.pem", old);
            _folder.Write($"live/.versions/a/{version}/privkey.pem", oldKey);
        }

        Directory.CreateSymbolicLink(_folder.Combine("live", "a"), ".versions/a/4");
        using var held = new FolderHandle(_folder.Combine("live", "a"));
        var (certificate, key) = Make("a");

        await _export.UpdateAsync("a", certificate, key, Token);

        Assert.Equal(certificate, await ReadAsync("a", "cert.pem"));
        Assert.Equal(key, await File.ReadAllTextAsync(Path.Join(held.Path, "privkey.pem"), Token));
        Assert.False(Directory.Exists(_folder.Combine("live", ".versions")));
        Assert.Equal(
            [key],
            Directory.GetFiles(_folder.Combine("live"), "privkey.pem", SearchOption.AllDirectories).Select(File.ReadAllText).Distinct());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WriteAsync_ModeAndGroupWereSetByHand_AreKept(bool links)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "A group is given by root.");
        using var export = Export(links: links);
        await export.WriteAsync("a", Make("a").Certificate, Make("a").Key, Token);
        await Command.RunAsync(
            "sh",
            ["-c", $"cd '{_folder.Combine("live", "a")}' && chgrp 4711 . *.pem && chmod 750 . && chmod 640 *.pem && chmod 644 cert.pem"],
            cancellationToken: Token);

        for (var i = 0; i < 2; i++)
        {
            var (certificate, key) = Make("a");
            await export.WriteAsync("a", certificate, key, Token);
            Assert.Equal(("640", 4711u), Access("a", "privkey.pem"));
            Assert.Equal(("644", 4711u), Access("a", "cert.pem"));
            Assert.Equal("750", Octal(FileNode.Of(_folder.Combine("live", "a"))!.Value.Mode));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UpdateAsync_ModeAndGroupAreConfigured_AreGivenAlsoToWhatIsThere(bool links)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "A group is given by root.");
        var (certificate, key) = Make("a");
        await WriteAsync("b");
        using (var before = Export(links: links))
        {
            await before.WriteAsync("a", certificate, key, Token);
        }

        using var export = Export(new ExportAccess(UnixFileMode.UserRead | UnixFileMode.GroupRead, "4711"), links);
        await export.UpdateAsync("a", certificate, key, Token);

        Assert.Equal(("440", 4711u), Access("a", "privkey.pem"));
        Assert.Equal("750", Octal(FileNode.Of(_folder.Combine("live", "a"))!.Value.Mode));
        Assert.Equal(4711u, FileNode.Of(_folder.Combine("live"))!.Value.Group);
        Assert.Equal(("600", FileNode.Of(_folder.Path)!.Value.Group), Access("b", "privkey.pem"));
    }

    [Fact]
    public async Task WriteAsync_GroupThatDoesNotExist_IsNamedAndNothingIsOpened()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Groups are Unix's.");
        using var export = Export(new ExportAccess(Group: "no-such-group"));
        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await export.WriteAsync("a", Make("a").Certificate, Make("a").Key, Token));
        Assert.Contains("no-such-group", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ln -sfn /dev/zero")]
    [InlineData("rm -f privkey.pem && mkfifo")]
    [InlineData("ln -sfn /etc/hostname")]
    public async Task UpdateAsync_SomethingElseInThePlaceOfAFile_IsReplacedWithoutReadingIt(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes and devices are Unix's.");
        var (certificate, key) = Make("a");
        await _export.WriteAsync("a", certificate, key, Token);
        foreach (var folder in new[] { "a", "a/..1" })
        {
            await Command.RunAsync(
                "sh", ["-c", $"cd '{_folder.Combine("live", folder)}' && {command} privkey.pem"], cancellationToken: Token);
        }

        await _export.UpdateAsync("a", certificate, key, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token);

        Assert.Equal(key, await ReadAsync("a", "privkey.pem"));
    }

    [Fact]
    public async Task WriteAsync_UnderAReader_NeverShowsAMixedPair()
    {
        await WriteAsync("a");
        var pairs = Enumerable.Range(0, 4).Select(i => Make($"{i}")).ToArray();
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < 60; i++)
                {
                    await _export.WriteAsync("a", pairs[i % 4].Certificate, pairs[i % 4].Key, Token);
                }
            },
            Token);
        var reads = 0;
        while (!writing.IsCompleted)
        {
            // Resolves the link only once, like a careful program.
            var version = Directory.ResolveLinkTarget(_folder.Combine("live", "a", "..data"), returnFinalTarget: true)!.FullName;
            try
            {
                using var pair = X509Certificate2.CreateFromPemFile(Path.Join(version, "cert.pem"), Path.Join(version, "privkey.pem"));
                reads++;
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                // Two newer versions exist by now, and this one was removed as a whole.
            }
        }

        await writing;
        Assert.True(reads > 0);
    }

    [Fact]
    public async Task WriteAsync_ForeignFolder_IsLeftAlone()
    {
        var mine = _folder.Write("live/a/privkey.pem", "mine");
        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(() => WriteAsync("a"));
        Assert.Contains(_folder.Combine("live", "a"), exception.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Token));
    }

    [Fact]
    public async Task WriteAsync_ForeignLink_IsLeftAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets no ordinary user make links.");
        Directory.CreateDirectory(_folder.Combine("live"));
        Directory.CreateSymbolicLink(_folder.Combine("live", "a"), "/etc");
        await Assert.ThrowsAsync<StorageUnavailableException>(() => WriteAsync("a"));
        Assert.Equal("/etc", new FileInfo(_folder.Combine("live", "a")).LinkTarget);
    }

    [Fact]
    public async Task WriteAsync_VersionsWereDeleted_IsWrittenAgain()
    {
        await WriteAsync("a");
        Directory.Delete(_folder.Combine("live", "a", "..1"), recursive: true);
        await WriteAsync("a");
        Assert.NotEmpty(await ReadAsync("a", "privkey.pem"));
    }

    [Fact]
    public async Task WriteAsync_TwoInstances_BothComplete()
    {
        using var other = new CertificateExport(
            _folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>());
        var (certificate, key) = Make("x");
        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(
                i => Task.Run(async () => await (i % 2 == 0 ? _export : other).WriteAsync("a", certificate, key, Token), Token)));
        Assert.Equal(key, await ReadAsync("a", "privkey.pem"));
    }

    [Theory]
    [InlineData("*.example.com", "_.example.com")]
    [InlineData("2001:db8::1", "2001-db8--1")]
    [InlineData("Example.COM", "example.com")]
    public async Task WriteAsync_NameWithSpecialCharacters_IsMadeAFolder(string name, string folder)
    {
        await WriteAsync(name);
        Assert.NotEmpty(await ReadAsync(folder, "cert.pem"));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("")]
    [InlineData(".versions")]
    public async Task WriteAsync_InvalidFolderName_IsRefused(string name)
        => await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(name));

    [Fact]
    public async Task WriteAsync_NoCertificate_IsRefusedWithoutQuotingTheKey()
    {
        var (_, key) = Make("a");
        var exception = await Assert.ThrowsAsync<ArgumentException>(async () => await _export.WriteAsync("a", key, key, Token));
        Assert.DoesNotContain("PRIVATE", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_ExportPathIsAFile_Unavailable()
    {
        _folder.Write("live", "a file");
        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(() => WriteAsync("a"));
        Assert.Contains("is a file, but must be a folder", exception.Message, StringComparison.Ordinal);
        Assert.Contains("set ExportPath to", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("StoragePath", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _export.Dispose();
        _folder.Dispose();
    }

    private static bool IsKey(string path) => File.ReadAllText(path).Contains("PRIVATE KEY", StringComparison.Ordinal);

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8);

    private (string Mode, uint Group) Access(string folder, string file)
    {
        var path = _folder.Combine("live", folder, file);
        var node = FileNode.Of(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path)!.Value;
        return (Octal(node.Mode), node.Group);
    }

    private CertificateExport Export(ExportAccess? access = null, bool links = true)
        => new(
            _folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>(), access,
            links ? null : static (_, _) => throw new UnauthorizedAccessException("Operation not permitted"));

    private static (string Certificate, string Key) Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private async Task WriteAsync(string name)
    {
        var (certificate, key) = Make(name);
        await _export.WriteAsync(name, certificate, key, Token);
    }

    private Task<string> ReadAsync(string folder, string file) => File.ReadAllTextAsync(_folder.Combine("live", folder, file), Token);
}
