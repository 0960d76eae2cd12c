using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Tests.Configuration;

/// <summary>A fake environment and valid options for it.</summary>
internal static class TestFacts
{
    public static EnvironmentFacts Production { get; } = new()
    {
        IsDevelopment = false,
        ContentRootPath = "/app",
        ApplicationDataPath = "/home/web/.local/share",
        ReadFile = path => throw new FileNotFoundException("No such file.", path),
    };

    public static EnvironmentFacts Development { get; } = Production with { IsDevelopment = true };

    public static string RootPem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test root", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.ExportCertificatePem();
    }

    public static AcmeHttpsOptions Good(Action<AcmeHttpsOptions>? change = null)
    {
        var options = new AcmeHttpsOptions { AcceptTermsOfService = true, DomainNames = ["example.com"] };
        change?.Invoke(options);
        return options;
    }

    public static ConfigurationSnapshot Snapshot(Action<AcmeHttpsOptions>? change = null, EnvironmentFacts? facts = null)
    {
        var result = AcmeHttpsOptionsReader.Build(Good(change), facts ?? Production);
        return result.IsValid ? result.Snapshot : throw new InvalidOperationException(string.Join('\n', result.Problems));
    }

    /// <summary>Returns the problems as lines of text.</summary>
    public static string[] Problems(Action<AcmeHttpsOptions> change, EnvironmentFacts? facts = null)
        => [.. AcmeHttpsOptionsReader.Build(Good(change), facts ?? Production).Problems.Select(problem => problem.ToString())];
}
