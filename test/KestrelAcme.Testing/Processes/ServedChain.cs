using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace KestrelAcme.Testing.Processes;

/// <summary>The data that a TLS server sent, according to openssl.</summary>
/// <param name="CertificatesPem">The certificates as sent, leaf first. Empty if the handshake failed earlier.</param>
/// <param name="Output">The output of openssl, to search for the protocol, ALPN or alerts.</param>
public sealed record ServedChain(IReadOnlyList<string> CertificatesPem, string Output)
{
    /// <summary>The leaf; the caller disposes it.</summary>
    public X509Certificate2 LoadLeaf()
    {
        Assert.True(CertificatesPem.Count > 0, $"openssl got no certificate:\n{Output}");
        return X509Certificate2.CreateFromPem(CertificatesPem[0]);
    }

    /// <summary>The result of openssl's own verification, such as "0 (ok)". Null if there was none.</summary>
    public string? VerifyReturnCode => Output.Split('\n')
        .Select(line => line.Trim())
        .LastOrDefault(
            line =>
                line.StartsWith("Verify return code:", StringComparison.Ordinal) || line.StartsWith(
                    "Verification error:", StringComparison.Ordinal))?
        .Split(':', 2)[1].Trim();
}
