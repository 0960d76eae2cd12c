using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Looks at one revocation list for the certificates that name it, at least once a day whatever its nextUpdate says.</summary>
internal sealed class RevocationCheck(CertificateStore store, RevocationListClient client, JitterSource jitter, TimeProvider time, ILogger<RevocationCheck> logger)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromHours(23);
    private static readonly TimeSpan Spread = TimeSpan.FromHours(3);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<Uri, EntityTagHeaderValue> _tags = new();

    /// <returns>The certificates that are revoked; empty when none is, when it was not time to look, or when the list could not be used.</returns>
    public async Task<IReadOnlyList<RevokedEntry>> LookAsync(Uri url, ReadOnlyMemory<byte> issuer, IReadOnlySet<string> serialNumbers, CancellationToken cancellationToken)
    {
        var record = await store.ReadRevocationListAsync(url, cancellationToken);
        if (record?.NextCheck > time.GetUtcNow() && record.NextCheck <= time.GetUtcNow() + LongestInterval)
        {
            return [];
        }

        try
        {
            var fetched = await client.FetchAsync(url, _tags.GetValueOrDefault(url), cancellationToken);
            var list = fetched is null ? null : Read(fetched, url, issuer, serialNumbers, record);
            await StoreAsync(url, list?.Number?.ToString(CultureInfo.InvariantCulture) ?? record?.Number, LongestInterval - (Spread * jitter()), cancellationToken);
            if (fetched?.Tag is { } tag)
            {
                _tags[url] = tag;
            }

            return list?.Revoked ?? [];
        }
        catch (Exception exception) when (exception is HttpRequestException or UnusableRevocationListException or IOException)
        {
            logger.RevocationListUnusable(url, exception.Message);
            await StoreAsync(url, record?.Number, AfterFailure, cancellationToken);
            return [];
        }
    }

    private static RevocationList Read(FetchedRevocationList fetched, Uri url, ReadOnlyMemory<byte> issuer, IReadOnlySet<string> serialNumbers, RevocationListRecord? record)
    {
        using var certificate = LoadIssuer(issuer);
        var list = RevocationListReader.Read(fetched.Content, certificate, url, serialNumbers);
        return record?.Number is { } known && list.Number < BigInteger.Parse(known, CultureInfo.InvariantCulture)
            ? throw new UnusableRevocationListException($"its number {list.Number} is lower than {known}, which was seen before: it is an old one")
            : list;
    }

    private static X509Certificate2 LoadIssuer(ReadOnlyMemory<byte> issuer)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(issuer.Span);
        }
        catch (CryptographicException exception)
        {
            throw new UnusableRevocationListException("the issuer's certificate cannot be read", exception);
        }
    }

    private async Task StoreAsync(Uri url, string? number, TimeSpan wait, CancellationToken cancellationToken)
        => await store.WriteRevocationListAsync(new RevocationListRecord { Url = url, Number = number, NextCheck = time.GetUtcNow() + wait }, cancellationToken);
}
