using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Storage.Protection;
using KestrelAcme.Tests.Storage.Bounded;

namespace KestrelAcme.Tests.Storage.Protection;

/// <summary>A store in memory whose keys are encrypted, as KestrelAcme's classes use it.</summary>
internal sealed class ProtectionFixture : IStorageFixture
{
    private static readonly Lazy<X509Certificate2> CurrentCertificate = new(() => NewCertificate("current"));
    private static readonly Lazy<X509Certificate2> EarlierCertificate = new(() => NewCertificate("earlier"));

    private readonly InMemoryFixture _inner = new();

    /// <summary>Made once: RSA keys take time.</summary>
    public static X509Certificate2 Certificate => CurrentCertificate.Value;

    public static X509Certificate2 Earlier => EarlierCertificate.Value;

    public static IReadOnlyList<SecretPlace> Places { get; } =
        [.. StorageLayout.SecretPlaces, new SecretPlace(AcmeDnsRegistrations.Prefix, SecretFormat.Json)];

    public static KeyProtection Protection(params IReadOnlyList<IKeyProtector> protectors)
        => new(protectors.Count > 0 ? protectors : [new CertificateKeyProtector(Certificate, [])], encrypts: true, Places);

    public static BoundedStorage Around(IAcmeStorage storage, KeyProtection? protection = null)
        => BoundedFixture.Around(new ProtectedStorage(storage, protection ?? Protection()));

    // All values count as secrets.
    public IAcmeStorage Open(TimeSpan clockOffset = default) => BoundedFixture.Around(new ProtectedStorage(
        _inner.Open(clockOffset),
        new KeyProtection([new CertificateKeyProtector(Certificate, [])], encrypts: true, [new SecretPlace("", SecretFormat.Pem)])));

    public Task PassAsync(TimeSpan span) => _inner.PassAsync(span);

    public Task<bool> BreakAsync() => _inner.BreakAsync();

    public Task RestoreAsync() => _inner.RestoreAsync();

    public Task<bool> EmptyAsync() => _inner.EmptyAsync();

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private static X509Certificate2 NewCertificate(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    }
}
