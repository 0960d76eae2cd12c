using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Configuration;

/// <summary>Checks a file of trusted roots.</summary>
internal static class TrustedRootsRules
{
    /// <summary>Returns the absolute path of a file that holds certificates; <see langword="null"/> when none is named, or after a problem.</summary>
    public static string? Read(string? path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (PathRules.Resolve(path, key, facts, problems) is not { } absolute || FileRules.Read(absolute, key, facts, problems) is not { } pem)
        {
            return null;
        }

        if (HasCertificates(pem))
        {
            return absolute;
        }

        problems.Add(key, path, "holds no certificate in PEM", "Write the path of a file with the authority's root, '-----BEGIN CERTIFICATE-----' in front");
        return null;
    }

    private static bool HasCertificates(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            return certificates.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }
}
