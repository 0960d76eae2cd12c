using System.Text.RegularExpressions;

namespace KestrelAcme.Testing.Processes;

/// <summary>The openssl command, as an independent check of certificates. Skips the running test if it is not installed.</summary>
public static partial class OpenSsl
{
    private static string File => RequireServer.Installed("openssl", "openssl");

    /// <summary>`openssl x509` with <paramref name="arguments"/> on a certificate; `-noout -text` by default.</summary>
    public static Task<string> DescribeAsync(
        string certificatePem, string[]? arguments = null, CancellationToken cancellationToken = default) =>
        Command.RunToSuccessAsync(File, ["x509", .. arguments ?? ["-noout", "-text"]], certificatePem, cancellationToken);

    /// <summary>
    /// `openssl verify`: whether <paramref name="chainPem"/> (leaf first) chains to one of <paramref name="rootsPem"/>, the only
    /// trusted roots.
    /// </summary>
    /// <param name="chainPem">Leaf first, then intermediates in any order.</param>
    /// <param name="rootsPem">One or more roots.</param>
    /// <param name="name">A DNS name or IP address that the leaf must contain, too.</param>
    /// <param name="cancellationToken">Stops openssl.</param>
    public static async Task<CommandResult> VerifyAsync(
        string chainPem, string rootsPem, string? name = null, CancellationToken cancellationToken = default)
    {
        using var folder = new TemporaryFolder();
        var chain = SplitPem(chainPem);
        List<string> arguments = ["verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-trusted", folder.Write("roots.pem", rootsPem)];
        if (chain.Count > 1)
        {
            arguments.AddRange(["-untrusted", folder.Write("chain.pem", string.Join('\n', chain.Skip(1)) + "\n")]);
        }

        if (name is not null)
        {
            arguments.AddRange([System.Net.IPAddress.TryParse(name, out _) ? "-verify_ip" : "-verify_hostname", name]);
        }

        arguments.Add(folder.Write("leaf.pem", chain[0] + "\n"));
        return await Command.RunAsync(File, arguments, cancellationToken: cancellationToken);
    }

    /// <summary>`openssl s_client -showcerts` against a loopback server.</summary>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="serverName">The SNI to send; null sends none.</param>
    /// <param name="arguments">Further arguments, such as `-alpn acme-tls/1`, `-tls1_2`, `-sigalgs RSA-PSS+SHA256`.</param>
    /// <param name="rootsPem">The only trusted roots, if given.</param>
    /// <param name="cancellationToken">Stops openssl.</param>
    public static async Task<ServedChain> ShowCertificatesAsync(
        int port, string? serverName, string[]? arguments = null, string? rootsPem = null, CancellationToken cancellationToken = default)
    {
        using var folder = new TemporaryFolder();
        string[] sni = serverName is null ? ["-noservername"] : ["-servername", serverName];
        string[] trust = rootsPem is null ? [] : ["-CAfile", folder.Write("roots.pem", rootsPem), "-no-CApath", "-no-CAstore"];
        var result = await Command.RunAsync(
            File,
            ["s_client", "-connect", $"127.0.0.1:{port}", "-showcerts", .. sni, .. trust, .. arguments ?? []],
            cancellationToken: cancellationToken);
        return new ServedChain(SplitPem(result.StandardOutput), result.Output);
    }

    /// <summary>The certificates in a PEM text, one string each.</summary>
    public static IReadOnlyList<string> SplitPem(string pem) => [.. CertificateBlock().Matches(pem).Select(match => match.Value)];

    [GeneratedRegex("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")]
    private static partial Regex CertificateBlock();
}
