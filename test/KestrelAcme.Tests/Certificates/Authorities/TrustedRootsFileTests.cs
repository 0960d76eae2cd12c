using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class TrustedRootsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LogRecorder _log = new();

    [Fact]
    public void Read_FileChanges_TheNewRootsCount()
    {
        var (first, second) = (TestFacts.RootPem(), TestFacts.RootPem());
        var path = _folder.Write("roots.pem", first);
        var file = new TrustedRootsFile(path, _log.For<TrustedRootsFile>());
        Assert.Equal(first, Assert.Single(file.Read()).ExportCertificatePem());

        File.WriteAllText(path, second + "\n" + first);

        Assert.Equal([second, first], file.Read().Select(r => r.ExportCertificatePem()));
        file.Read();
        Assert.Single(_log.Lines, l => l.Event.Name == "TrustedRootsRead");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB")]
    [InlineData("hello")]
    [InlineData(null)]
    public void Read_FileIsMissingOrIncomplete_KeepsTheRootsAndLogsItOnce(string? content)
    {
        var pem = TestFacts.RootPem();
        var path = _folder.Write("roots.pem", pem);
        var file = new TrustedRootsFile(path, _log.For<TrustedRootsFile>());
        file.Read();

        File.Delete(path);
        if (content is not null)
        {
            File.WriteAllText(path, content);
        }

        Assert.Single(file.Read());
        Assert.Equal(pem, Assert.Single(file.Read()).ExportCertificatePem());
        Assert.Single(_log.Lines, l => l.Event.Name == "TrustedRootsNotRead");

        File.WriteAllText(path, TestFacts.RootPem());
        Assert.NotEqual(pem, Assert.Single(file.Read()).ExportCertificatePem());
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }
}
