using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Storage.Export;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage.Export;

/// <summary>What else is in the folder: of other instances, of processes that were killed, and of the operator.</summary>
public sealed class ExportLeftoverTests : IDisposable
{
    private static readonly DateTime LongAgo = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();
    private readonly (string Certificate, string Key) _pair = Make();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(".a.backup")]
    [InlineData(".a.test.0123456789abcdef0123456789abcdef")]
    public async Task WriteAsync_HiddenFolderOfSomebodyElse_IsLeftAlone(string name)
    {
        var mine = _folder.Write($"live/{name}/privkey.pem", "mine");
        Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(mine)!, LongAgo);
        using var export = Export();

        await export.WriteAsync("a", _pair.Certificate, _pair.Key, Token);

        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WriteAsync_DraftOfAProcessThatWasKilled_IsRemoved(bool isNew)
    {
        using var export = Export();
        if (!isNew)
        {
            await export.WriteAsync("a", _pair.Certificate, _pair.Key, Token);
        }

        var draft = Path.GetDirectoryName(_folder.Write($"live/.a.{Guid.NewGuid():n}/privkey.pem", "old"))!;
        Directory.SetLastWriteTimeUtc(draft, LongAgo);

        await export.WriteAsync("a", _pair.Certificate, _pair.Key, Token);

        Assert.False(Directory.Exists(draft));
    }

    [Fact]
    public async Task WriteAsync_OthersWriteTwoVersionsBeforeItsLastStep_AllFilesCanBeRead()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets no ordinary user make links.");
        using var other = Export();
        await other.WriteAsync("a", _pair.Certificate, _pair.Key, Token);
        using var slow = Export((path, target) =>
        {
            if (target == "..2")
            {
                other.WriteAsync("a", _pair.Certificate, _pair.Key, Token).AsTask().GetAwaiter().GetResult();
                other.WriteAsync("a", _pair.Certificate, _pair.Key, Token).AsTask().GetAwaiter().GetResult();
            }

            File.CreateSymbolicLink(path, target);
        });

        await slow.WriteAsync("a", _pair.Certificate, _pair.Key, Token);

        Assert.Equal(_pair.Key, await File.ReadAllTextAsync(_folder.Combine("live", "a", "privkey.pem"), Token));
    }

    public void Dispose() => _folder.Dispose();

    private CertificateExport Export(Action<string, string>? link = null)
        => new(_folder.Combine("live"), new FakeTimeProvider(), new LogRecorder().For<CertificateExport>(), link: link);

    private static (string Certificate, string Key) Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }
}
