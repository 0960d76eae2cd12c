using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Export;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage.Export;

public sealed class CertificateExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CertificateExport _export;

    public CertificateExportTests() => _export = new(_folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>());

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
        using var loaded = X509Certificate2.CreateFromPemFile(_folder.Combine("live", "example.com", "fullchain.pem"), _folder.Combine("live", "example.com", "privkey.pem"));
        Assert.True(loaded.HasPrivateKey);
    }

    [Fact]
    public async Task WriteAsync_OnUnix_FilesAreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has access lists.");
        await WriteAsync("a");
        foreach (var path in Directory.GetFileSystemEntries(_folder.Combine("live"), "*", SearchOption.AllDirectories).Where(path => new FileInfo(path).LinkTarget is null))
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

        Assert.Equal(["4", "5"], Directory.GetDirectories(_folder.Combine("live", ".versions", "a")).Select(Path.GetFileName).Order());
        Assert.Equal([".versions", "a"], Directory.GetFileSystemEntries(_folder.Combine("live")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
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
            // As a careful program does: it resolves the link once.
            var version = Directory.ResolveLinkTarget(_folder.Combine("live", "a"), returnFinalTarget: true)!.FullName;
            try
            {
                using var pair = X509Certificate2.CreateFromPemFile(Path.Join(version, "cert.pem"), Path.Join(version, "privkey.pem"));
                reads++;
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                // Two versions on meanwhile: this one was removed, as a whole pair or not at all.
            }
        }

        await writing;
        Assert.True(reads > 0);
    }

    [Fact]
    public async Task WriteAsync_FolderOfSomebodyElse_IsLeftAlone()
    {
        var mine = _folder.Write("live/a/privkey.pem", "mine");
        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(() => WriteAsync("a"));
        Assert.Contains(_folder.Combine("live", "a"), exception.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Token));
    }

    [Fact]
    public async Task WriteAsync_LinkOfSomebodyElse_IsLeftAlone()
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
        Directory.Delete(_folder.Combine("live", ".versions"), recursive: true);
        await WriteAsync("a");
        Assert.NotEmpty(await ReadAsync("a", "privkey.pem"));
    }

    [Fact]
    public async Task WriteAsync_TwoInstances_BothComplete()
    {
        using var other = new CertificateExport(_folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>());
        var (certificate, key) = Make("x");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await (i % 2 == 0 ? _export : other).WriteAsync("a", certificate, key, Token), Token)));
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
    public async Task WriteAsync_NameThatIsNoFolder_IsRefused(string name) => await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(name));

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
        Assert.Contains("is a file where a folder belongs", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _export.Dispose();
        _folder.Dispose();
    }

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
