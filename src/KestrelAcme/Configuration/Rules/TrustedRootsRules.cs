using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Reads a file of trusted roots. If the file is something else, the problem says what it is.</summary>
internal static class TrustedRootsRules
{
    private const string Wanted =
        "Write the path of a PEM file with the CA's root certificate, which begins with '-----BEGIN CERTIFICATE-----'";

    private static readonly (string Label, string Reason, string Fix)[] OtherLabels =
    [
        ("PKCS7", "is PKCS#7, not PEM certificates", "Convert it: openssl pkcs7 -print_certs -in FILE -out roots.pem"),
        ("CMS", "is PKCS#7, not PEM certificates", "Convert it: openssl pkcs7 -print_certs -in FILE -out roots.pem"),
        ("TRUSTED CERTIFICATE", "is in OpenSSL's own format, 'TRUSTED CERTIFICATE'", "Convert it: openssl x509 -in FILE -out roots.pem"),
        ("CERTIFICATE REQUEST", "is a certificate signing request, not a certificate", Wanted),
        ("NEW CERTIFICATE REQUEST", "is a certificate signing request, not a certificate", Wanted),
        ("X509 CRL", "is a revocation list, not a certificate", Wanted),
        ("PUBLIC KEY", "is a public key, not a certificate", Wanted),
    ];

    /// <summary>
    /// Returns the absolute path of a file that contains certificates, or <see langword="null"/> if no path is given, or after a problem.
    /// </summary>
    public static string? Read(string? path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (PathRules.Resolve(path, key, facts, problems) is not { } absolute
            || FileRules.Read(absolute, key, facts, problems) is not { } text)
        {
            return null;
        }

        var (roots, problem, fix) = Parse(text);
        foreach (var root in roots)
        {
            root.Dispose();
        }

        if (problem is null)
        {
            return absolute;
        }

        problems.Add(key, path, problem, fix!);
        return null;
    }

    /// <summary>
    /// Reads the certificates of a file that can be trusted: roots, intermediates, and the self-signed certificate of a server. A server
    /// certificate from a CA cannot be trusted, because the server replaces it soon.
    /// </summary>
    /// <returns>The certificates, or the problem and the fix.</returns>
    public static (X509Certificate2Collection Roots, string? Problem, string? Fix) Parse(string text)
    {
        var roots = new X509Certificate2Collection();
        string? servers = null;
        (string Reason, string Fix)? other = null;
        var count = 0;
        var rest = text.AsSpan().Trim('\uFEFF');
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var label = rest[fields.Label].ToString();
            if (label is "CERTIFICATE" or "X509 CERTIFICATE")
            {
                count++;
                if (TryLoad(rest[fields.Base64Data]) is not { } certificate)
                {
                    const string Again = "Copy the complete certificate again";
                    return ([], $"contains a certificate that cannot be read, number {count} in the file", Again);
                }

                if (CanBeTrusted(certificate))
                {
                    roots.Add(certificate);
                }
                else
                {
                    servers ??= $"'{QuotedText.Of(certificate.Subject)}', "
                        + $"which was issued by '{QuotedText.Of(certificate.Issuer)}'";
                    certificate.Dispose();
                }
            }
            else
            {
                other ??= Describe(label);
            }

            rest = rest[fields.Location.End..];
        }

        if (roots.Count > 0)
        {
            return (roots, null, null);
        }

        var (reason, fix) = other ?? DescribeRaw(text);
        return servers is not null
            ? ([], $"contains no certificate of a CA, only that of a server: {servers}",
                "Write the path of a file with the certificate of that issuer, or of the root above it")
            : ([], reason, fix);
    }

    private static X509Certificate2? TryLoad(ReadOnlySpan<char> base64)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(base64.ToString()));
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            return null;
        }
    }

    private static bool CanBeTrusted(X509Certificate2 certificate)
        => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            || certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority);

    private static (string Reason, string Fix) Describe(string label)
        => Array.Find(OtherLabels, o => o.Label == label) is { Label: not null } known ? (known.Reason, known.Fix)
            : label.EndsWith("PRIVATE KEY", StringComparison.Ordinal) ? ("is a private key, not a certificate", Wanted)
            : ($"contains no certificate, but '{QuotedText.Of(label)}'", Wanted);

    /// <summary>Describes a file without PEM. It was read as text, so bytes above 127 are replacement characters.</summary>
    private static (string Reason, string Fix) DescribeRaw(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return ("is an empty file", Wanted);
        }

        if (text[0] == '0' && text.Length > 1 && text[1] is '\uFFFD' or < ' ')
        {
            var head = text.AsSpan(0, Math.Min(text.Length, 32));
            return head.Contains("\u0006\t*\uFFFDH\uFFFD\uFFFD\r\u0001\u0007\u0002", StringComparison.Ordinal)
                ? ("is PKCS#7 in DER, not PEM certificates", "Convert it: openssl pkcs7 -inform DER -print_certs -in FILE -out roots.pem")
                : head.IndexOf("\u0002\u0001\u0003", StringComparison.Ordinal) is > 0 and < 7
                ? ("is PKCS#12 (a .pfx file), not PEM certificates", "Convert it: openssl pkcs12 -nokeys -in FILE -out roots.pem")
                : ("is DER, not PEM", "Convert it: openssl x509 -inform DER -in FILE -out roots.pem");
        }

        return text.Contains('\0', StringComparison.Ordinal) ? ("is UTF-16 without a byte order mark", "Save it as UTF-8")
            : text.StartsWith("MII", StringComparison.Ordinal)
                ? ("is base64 without the first and last lines of PEM",
                    "Add '-----BEGIN CERTIFICATE-----' before it and '-----END CERTIFICATE-----' after it, each on a separate line")
            : text.Contains("-----BEGIN", StringComparison.Ordinal)
                ? ("contains no complete PEM certificate",
                    "Copy the file again: from '-----BEGIN CERTIFICATE-----' to '-----END CERTIFICATE-----', each on a separate line")
            : ("contains no PEM certificate", Wanted);
    }
}
