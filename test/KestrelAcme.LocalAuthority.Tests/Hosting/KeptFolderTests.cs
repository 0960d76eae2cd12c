using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

public sealed class KeptFolderTests
{
    [Fact]
    public async Task Start_FolderKept_SameRootIntermediateAndRevocations()
    {
        using var folder = new TemporaryFolder();
        string root;
        string intermediate;
        TestCertificate certificate;
        await using (var first = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path))
        {
            (root, intermediate) = (first.Authority.RootPem, first.Authority.IntermediateCertificate.Thumbprint);
            certificate = await first.Client.ObtainAsync(first.Server, "app.test");
            await RevokeAsync(first.Client, certificate);
        }

        await using var second = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path);

        Assert.Equal((root, intermediate), (second.Authority.RootPem, second.Authority.IntermediateCertificate.Thumbprint));
        Assert.Equal(certificate.Leaf.SerialNumber, Assert.Single(second.Authority.Revoked).SerialNumber);
        Assert.Equal(root, (await File.ReadAllTextAsync(second.Authority.RootPemPath, TestContext.Current.CancellationToken)).Trim());
        using var byKey = new TestClient(second.Authority, TestKey.Of(certificate.Key));
        Assert.Equal("alreadyRevoked", (await RevokeAsync(byKey, certificate)).Problem);
    }

    [Fact]
    public async Task Start_CertificateOfAnEarlierStart_CanBeRevokedByItsKey()
    {
        using var folder = new TemporaryFolder();
        TestCertificate certificate;
        await using (var first = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path))
        {
            certificate = await first.Client.ObtainAsync(first.Server, "app.test");
        }

        await using var second = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path);
        using var byKey = new TestClient(second.Authority, TestKey.Of(certificate.Key));

        Assert.Equal(200, (await RevokeAsync(byKey, certificate)).Status);
    }

    [Fact]
    public async Task Start_FolderNew_KeysAreReadableByTheOwnerOnly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix file modes.");
            return;
        }

        using var folder = new TemporaryFolder();
        var inside = Path.Combine(folder.Path, "ca");
        await using var authority = await LocalAcmeAuthority.StartAsync(o => o.Folder = inside, TestContext.Current.CancellationToken);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(inside, "keys", "authority.pem")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(inside));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(inside), f => f.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.DoesNotContain(
            "PRIVATE",
            await File.ReadAllTextAsync(authority.RootPemPath, TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FileDamaged_SaysWhichFileAndWhatToDo()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "keys"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "keys", "authority.pem"), "no", TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => LocalAcmeAuthority.StartAsync(o => o.Folder = folder.Path, TestContext.Current.CancellationToken));
        Assert.Contains("authority.pem", error.Message, StringComparison.Ordinal);
        Assert.Contains("Delete", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ManyOnANewFolderAtOnce_AllUseOneRoot()
    {
        using var folder = new TemporaryFolder();
        var authorities = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Task.Run(() => LocalAcmeAuthority.StartAsync(o => o.Folder = folder.Path, TestContext.Current.CancellationToken))));
        Assert.Single(authorities.Select(a => a.RootPem).Distinct());
        foreach (var authority in authorities)
        {
            await authority.DisposeAsync();
        }
    }

    private static async Task<TestResponse> RevokeAsync(TestClient client, TestCertificate certificate) => await client.PostAsync(
        await client.UrlAsync("revokeCert"), new JsonObject { ["certificate"] = TestKey.Encode(certificate.Leaf.RawData) });
}
