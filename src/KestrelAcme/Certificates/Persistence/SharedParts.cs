using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Keeps one copy of the parts that many stored certificates share: intermediates, and the URLs of CAs, accounts and revocation lists.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedParts
{
    // An operator has a few CAs and accounts. A CA divides its certificates among some hundred lists.
    private const int MaxUrls = 1024;

    private readonly ConcurrentDictionary<string, Uri> _urls = new(StringComparer.Ordinal);

    public IntermediatePool Intermediates { get; } = new();

    public CertificateMetadata Share(CertificateMetadata metadata) => metadata with
    {
        KeyAlgorithm = Enum.TryParse<KeyAlgorithm>(metadata.KeyAlgorithm, out var kind) ? kind.ToString() : metadata.KeyAlgorithm,
        DirectoryUrl = Share(metadata.DirectoryUrl),
        AccountUrl = Share(metadata.AccountUrl),
    };

    public CertificateSnapshot Share(CertificateSnapshot snapshot)
        => snapshot.RevocationListUrl is { } url && Share(url) is var known && !ReferenceEquals(url, known)
            ? snapshot with { RevocationListUrl = known }
            : snapshot;

    private Uri Share(Uri url)
        => _urls.TryGetValue(url.OriginalString, out var known) ? known
            : _urls.Count < MaxUrls ? _urls.GetOrAdd(url.OriginalString, url)
            : url;
}
