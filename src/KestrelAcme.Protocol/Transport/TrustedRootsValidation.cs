using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Accepts certificates that the system accepts, and chains that contain a certificate that the user trusts: a root, or an intermediate as
/// with OpenSSL's partial chains. A name mismatch is never accepted. An error says which certificate of the chain is at fault, with its
/// dates and this machine's clock, because .NET's own errors include neither.
/// </summary>
internal sealed class TrustedRootsValidation(Func<X509Certificate2Collection?> roots, TimeProvider time)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const int MaxNamesShown = 8;

    // The status of any chain that does not end in a system root, even if it is otherwise valid.
    private const X509ChainStatusFlags Unanchored = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;

    /// <summary>For <see cref="SslClientAuthenticationOptions.RemoteCertificateValidationCallback"/>.</summary>
    /// <exception cref="ServerCertificateException">The certificate is rejected. Thrown because a callback that returns false cannot give a
    /// reason.</exception>
    public bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (certificate is not X509Certificate2 leaf || chain is null)
        {
            throw new ServerCertificateException("the server sent none", AcmeUnreachableReason.TlsFailed, hadTrustedRoots: false);
        }

        var anchors = roots() ?? [];
        var wrongHost = errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? (sender as SslStream)?.TargetHostName ?? "" : null;
        try
        {
            using var own = Build(leaf, chain, anchors);
            return wrongHost is null && IsAnchored(own, anchors) ? true : throw Refusal(leaf, chain, own, anchors, wrongHost);
        }
        catch (CryptographicException e)
        {
            throw new ServerCertificateException(
                $"it cannot be read ({QuotedText.Words(e.Message.TrimEnd('.'), 200)})", AcmeUnreachableReason.TlsFailed, anchors.Count > 0);
        }
    }

    /// <summary>
    /// Several roots may have the same name, and the chain builder picks the first: if the name alone is ambiguous, each root is tried.
    /// </summary>
    private static X509Chain Build(X509Certificate2 leaf, X509Chain sent, X509Certificate2Collection anchors)
    {
        var all = Build(leaf, sent, anchors, anchors);
        if (anchors.Count < 2 || IsAnchored(all, anchors))
        {
            return all;
        }

        foreach (var anchor in anchors)
        {
            var one = Build(leaf, sent, [anchor], anchors);
            if (IsAnchored(one, anchors))
            {
                all.Dispose();
                return one;
            }

            one.Dispose();
        }

        return all;
    }

    private static X509Chain Build(X509Certificate2 leaf, X509Chain sent, X509Certificate2Collection trusted,
        X509Certificate2Collection anchors)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        if (trusted.Count == anchors.Count)
        {
            // A trusted intermediate ends the chain; in the extra store it can also be in the middle of one.
            chain.ChainPolicy.ExtraStore.AddRange(anchors);
        }

        chain.Build(leaf);
        return chain;
    }

    /// <summary>Whether a certificate of the chain is trusted, and everything from the leaf up to it is valid.</summary>
    private static bool IsAnchored(X509Chain chain, X509Certificate2Collection anchors)
    {
        foreach (var element in chain.ChainElements)
        {
            if (element.ChainElementStatus.Any(status => (status.Status & ~Unanchored) != 0))
            {
                return false;
            }

            if (anchors.Any(anchor => anchor.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span)))
            {
                return true;
            }
        }

        return false;
    }

    private ServerCertificateException Refusal(X509Certificate2 leaf, X509Chain system, X509Chain own,
        X509Certificate2Collection anchors, string? wrongHost)
    {
        var isOwn = HasAnchor(own, anchors) || system.ChainElements.Count == 0;
        var chain = isOwn ? own : system;
        var isTrusted = isOwn ? HasAnchor(own, anchors)
            : !system.ChainElements.Any(e => e.ChainElementStatus.Any(s => (s.Status & Unanchored) != 0));
        var outdated = chain.ChainElements
            .Where(e => e.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
            .ToList();
        var faults = new List<string>();
        if (wrongHost is not null)
        {
            faults.Add($"it is for {Names(leaf)}, not for {wrongHost}");
        }

        faults.AddRange(outdated.Select(e =>
            $"{Subject(e.Certificate)} is valid from {Date(e.Certificate.NotBefore)} to {Date(e.Certificate.NotAfter)}, "
            + $"and this machine's clock says {Date(time.GetUtcNow().UtcDateTime)}"));
        faults.AddRange(chain.ChainElements.SelectMany(e => e.ChainElementStatus
            .Where(s => (s.Status & ~(Unanchored | X509ChainStatusFlags.NotTimeValid)) != 0)
            .Select(s => $"{Subject(e.Certificate)}: {s.Status}")));
        if (!isTrusted)
        {
            faults.Add(Unknown(chain, anchors));
        }

        var reason = !isTrusted ? AcmeUnreachableReason.CertificateNotTrusted
            : wrongHost is not null ? AcmeUnreachableReason.CertificateNameMismatch
            : outdated.Count > 0 ? AcmeUnreachableReason.CertificateNotTimeValid
            : AcmeUnreachableReason.TlsFailed;
        return new ServerCertificateException(faults.Count == 0 ? "its chain is rejected" : string.Join("; ", faults), reason,
            anchors.Count > 0);
    }

    private static bool HasAnchor(X509Chain chain, X509Certificate2Collection anchors)
        => chain.ChainElements.Any(e => anchors.Any(a => a.RawDataMemory.Span.SequenceEqual(e.Certificate.RawDataMemory.Span)));

    private static string Unknown(X509Chain chain, X509Certificate2Collection anchors)
    {
        var last = chain.ChainElements[^1].Certificate;
        var end = last.SubjectName.RawData.AsSpan().SequenceEqual(last.IssuerName.RawData)
            ? $"its chain ends in {Subject(last)}, which is not trusted (UntrustedRoot)"
            : $"its chain ends in {Subject(last)}, whose issuer {Text(last.Issuer)} is unknown here (PartialChain)";
        return anchors.Count == 0
            ? $"{end}: it is not among this machine's trusted roots"
            : $"{end}: it is neither among this machine's trusted roots nor among the {anchors.Count} configured ({Subjects(anchors)})";
    }

    private static string Names(X509Certificate2 leaf)
    {
        try
        {
            var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault() is { } alternative
                ? alternative.EnumerateDnsNames().Concat(alternative.EnumerateIPAddresses().Select(a => a.ToString()))
                    .Take(MaxNamesShown).Select(Text).ToList()
                : [];
            return names.Count == 0 ? "no name" : string.Join(", ", names);
        }
        catch (CryptographicException)
        {
            return "names that cannot be read";
        }
    }

    private static string Subjects(X509Certificate2Collection certificates)
        => string.Join(", ", certificates.Take(MaxNamesShown).Select(Subject));

    private static string Subject(X509Certificate2 certificate) => Text(certificate.Subject);

    private static string Text(string name) => $"'{QuotedText.Words(name, 200)}'";

    private static string Date(DateTime date) => date.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture);
}

/// <summary>The server's certificate is rejected; the message says which certificate of its chain is at fault, and why.</summary>
internal sealed class ServerCertificateException(string message, AcmeUnreachableReason reason, bool hadTrustedRoots)
    : AuthenticationException(QuotedText.Of(message))
{
    public AcmeUnreachableReason Reason => reason;

    public bool HadTrustedRoots => hadTrustedRoots;
}
