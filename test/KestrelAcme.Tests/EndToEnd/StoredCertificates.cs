using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Storage.Bounded;
using KestrelAcme.Tests.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Puts certificates into a store as if they had been obtained a day ago.</summary>
internal static class StoredCertificates
{
    public static Task WriteAsync(IAcmeStorage storage, string id, CertificateStateRecord? state, params string[] names)
    {
        var material = new TestAuthority().Issue(names);
        return WriteAsync(storage, id, material.Chain, material.PrivateKey, state, names);
    }

    public static async Task WriteAsync(
        IAcmeStorage storage,
        string id,
        IReadOnlyList<ReadOnlyMemory<byte>> chain,
        ReadOnlyMemory<byte> privateKey,
        CertificateStateRecord? state,
        params string[] names)
    {
        var store = new CertificateStore(BoundedFixture.Around(storage), NullLogger<CertificateStore>.Instance);
        var record = new CertificateRecord(chain, privateKey, new CertificateMetadata
        {
            Names = names,
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://127.0.0.1:1/directory"),
            AccountUrl = new Uri("https://127.0.0.1:1/account/1"),
            ObtainedAt = TimeProvider.System.GetUtcNow().AddDays(-1),
            Jitter = 0.5,
        });
        await store.WriteCertificateAsync(id, record, lease: null, CancellationToken.None);
        var serial = CertificateSnapshot.Read(record).SerialNumber;
        await store.WriteStateAsync(
            id,
            (state ?? CertificateStateRecord.Empty) with
            {
                Revocation = state?.Revocation is { } revocation ? revocation with { SerialNumber = serial } : null,
            },
            lease: null,
            CancellationToken.None);
    }

    public static Dictionary<string, string?> Settings(params string[] names) => new Dictionary<string, string?>
    {
        ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
        ["AcmeHttps:AcceptTermsOfService"] = "true",
    }.AddNames(names);
}
