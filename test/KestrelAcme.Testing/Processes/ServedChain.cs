using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Testing.Processes;

/// <summary>What a TLS server sent, as openssl saw it.</summary>
/// <param name="CertificatesPem">The certificates as sent, leaf first. Empty when the handshake failed before them.</param>
/// <param name="Output">All that openssl said, to search for protocol, ALPN or alerts.</param>
public sealed record ServedChain(IReadOnlyList<string> CertificatesPem, string Output)
{
    /// <summary>The leaf; the caller disposes it.</summary>
    public X509Certificate2 LoadLeaf() => X509Certificate2.CreateFromPem(CertificatesPem[0]);

    /// <summary>What openssl's own look at the chain ended in, such as "0 (ok)". Null when there was none.</summary>
    public string? VerifyReturnCode => Output.Split('\n')
        .Select(line => line.Trim())
        .LastOrDefault(
            line =>
                line.StartsWith("Verify return code:", StringComparison.Ordinal) || line.StartsWith(
                    "Verification error:", StringComparison.Ordinal))?
        .Split(':', 2)[1].Trim();
}
