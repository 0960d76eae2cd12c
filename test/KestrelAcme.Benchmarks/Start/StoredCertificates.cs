using System.Text;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Tests.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Benchmarks.Start;

/// <summary>A store as an application leaves it that added its names at run time and obtained a certificate for each.</summary>
internal static class StoredCertificates
{
    public static readonly Uri Directory = new("https://127.0.0.1:1/directory");

    public static string Name(int i) => $"m{i}.start.test";

    public static async Task WriteAsync(string path, int count)
    {
        var authority = new TestAuthority();
        using var storage = new FileSystemStorage(path, TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        var store = new CertificateStore(
            new BoundedStorage(storage, TimeSpan.FromMinutes(1), TimeProvider.System), NullLogger<CertificateStore>.Instance);
        await storage.WriteAsync(StorageLayout.DomainsMark, "1"u8.ToArray());
        await Parallel.ForAsync(0, count, async (i, cancellationToken) =>
        {
            var name = new CertificateIdentifier(IdentifierKind.Dns, Name(i));
            var id = CertificateId.Of([name], KeyAlgorithm.EcdsaP256);
            var material = authority.Issue(name.Value);
            await storage.WriteAsync(StorageLayout.Domain(name), Encoding.UTF8.GetBytes(name.Value), lease: null, cancellationToken);
            await store.WriteCertificateAsync(
                id, new CertificateRecord(material.Chain, material.PrivateKey, Metadata(name.Value)), lease: null, cancellationToken);
            await store.WriteStateAsync(id, State(), lease: null, cancellationToken);
        });
    }

    private static CertificateMetadata Metadata(string name) => new()
    {
        Names = [name],
        KeyAlgorithm = nameof(KeyAlgorithm.EcdsaP256),
        DirectoryUrl = Directory,
        AccountUrl = new Uri("https://127.0.0.1:1/account/1"),
        OrderUrl = "https://127.0.0.1:1/order/1",
        CertificateUrl = "https://127.0.0.1:1/certificate/1",
        ObtainedAt = TimeProvider.System.GetUtcNow().AddDays(-1),
        Jitter = 0.5,
    };

    private static CertificateStateRecord State() => CertificateStateRecord.Empty with
    {
        State = CertificateState.Valid,
        Since = TimeProvider.System.GetUtcNow().AddDays(-1),
        Issued = [TimeProvider.System.GetUtcNow().AddDays(-1)],
    };
}
