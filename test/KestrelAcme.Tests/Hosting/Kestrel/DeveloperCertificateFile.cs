using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>
/// A developer certificate in the place where Kestrel looks for one, for an app with a unique name. The user's store is not touched.
/// </summary>
internal sealed class DeveloperCertificateFile : IDisposable
{
    public const string Password = "secret";

    private readonly string _path;

    public DeveloperCertificateFile()
    {
        var appData = Environment.GetEnvironmentVariable("APPDATA");
        var folder = appData is null
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aspnet", "https")
            : Path.Combine(appData, "ASP.NET", "https");
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, $"{ApplicationName}.pfx");
        File.WriteAllBytes(_path, Create().Export(X509ContentType.Pkcs12, Password));
    }

    public string ApplicationName { get; } = $"KestrelAcme.Tests.{Guid.NewGuid():N}";

    public void Dispose() => File.Delete(_path);

    private static X509Certificate2 Create()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: true));
        // The extension that marks certificates of "dotnet dev-certs", with its version.
        request.CertificateExtensions.Add(new X509Extension(new AsnEncodedData(new Oid("1.3.6.1.4.1.311.84.1.1"), [5]), critical: false));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(300));
    }
}
