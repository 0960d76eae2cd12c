using System.Collections.ObjectModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>Makes a context send the intermediates that the authority sent.</summary>
/// <remarks>
/// .NET does not take a chain, it builds one, and stops at the first root that this machine trusts. Where a new root is cross-signed by an old one, and the server's own
/// list of roots is newer than its visitors', the certificate that leads to the old root would be left out: visitors that do not know the new root would be refused.
/// Nothing public says otherwise, so what was built is replaced, and only where it differs.
/// </remarks>
internal static class ExactChain
{
    /// <returns>Whether the context sends the intermediates as they are given, a root at their end left out.</returns>
    public static bool TryApply(SslStreamCertificateContext context, X509Certificate2Collection intermediates)
    {
        var root = intermediates.Count > 0 && intermediates[^1].SubjectName.RawData.AsSpan().SequenceEqual(intermediates[^1].IssuerName.RawData);
        X509Certificate2[] wanted = [.. intermediates.Take(intermediates.Count - (root ? 1 : 0))];
        if (Sends(context, wanted))
        {
            return true;
        }

        // Schannel and Apple's library build their chains again for each handshake.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD())
        {
            try
            {
                Intermediates(context) = new ReadOnlyCollection<X509Certificate2>(wanted);
            }
            catch (MissingFieldException)
            {
                // A later .NET: what it built is sent, and the caller says so.
            }
        }

        return Sends(context, wanted);
    }

    private static bool Sends(SslStreamCertificateContext context, X509Certificate2[] wanted)
        => context.IntermediateCertificates.Count == wanted.Length
            && context.IntermediateCertificates.Zip(wanted).All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<IntermediateCertificates>k__BackingField")]
    private static extern ref ReadOnlyCollection<X509Certificate2> Intermediates(SslStreamCertificateContext context);
}
