using System.Collections.Concurrent;
using KestrelAcme.Configuration;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Keeps one copy of what many stored certificates have in common: intermediates, and the URLs of authority and account.</summary>
internal sealed class SharedParts
{
    // An operator has a few authorities and accounts.
    private const int MaxUrls = 1024;

    private readonly IntermediatePool _intermediates = new();
    private readonly ConcurrentDictionary<string, Uri> _urls = new(StringComparer.Ordinal);

    public CertificateRecord Share(CertificateRecord record) => record with
    {
        Chain = _intermediates.Share(record.Chain),
        Metadata = record.Metadata with { KeyAlgorithm = Enum.TryParse<KeyAlgorithm>(record.Metadata.KeyAlgorithm, out var kind) ? kind.ToString() : record.Metadata.KeyAlgorithm, DirectoryUrl = Share(record.Metadata.DirectoryUrl), AccountUrl = Share(record.Metadata.AccountUrl) },
    };

    private Uri Share(Uri url)
        => _urls.TryGetValue(url.OriginalString, out var known) ? known
            : _urls.Count < MaxUrls ? _urls.GetOrAdd(url.OriginalString, url)
            : url;
}
