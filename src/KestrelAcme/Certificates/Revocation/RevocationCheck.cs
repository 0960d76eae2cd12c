using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Checks a revocation list for the certificates of one issuer that name it, at least once a day, whatever its nextUpdate is. Instances
/// with the same certificates share the check: one of them does it for all.
/// </summary>
internal sealed class RevocationCheck(
    CertificateStore store,
    RevocationListClient client,
    AcmeHttpsMetrics metrics,
    JitterSource jitter,
    TimeProvider time,
    ILogger<RevocationCheck> logger)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromHours(23);
    private static readonly TimeSpan Spread = TimeSpan.FromHours(3);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromHours(1);

    // Each instance may have its own certificates, and other ones after each renewal.
    private const int MostSets = 64;

    // The digits of 20 octets.
    private const int MostDigits = 49;

    // The entity tag of each list, and the serial numbers that it was searched for. That a list has not changed says nothing about other
    // certificates.
    private readonly ConcurrentDictionary<RevocationListId, (EntityTagHeaderValue Tag, IReadOnlySet<string> SerialNumbers)> _tags = new();

    // The earliest time of all issuers whose certificates name the list.
    private readonly ConcurrentDictionary<Uri, DateTimeOffset> _nextChecks = new();

    /// <summary>
    /// Whether a list may be due. Whether another instance checked it is known only to the store, which is not read here.
    /// </summary>
    public bool IsDue(Uri url) => !_nextChecks.TryGetValue(url, out var next) || !IsAhead(next);

    /// <summary>Sets the time of the next check of a list.</summary>
    public void Expect(Uri url, DateTimeOffset next) => _nextChecks[url] = next;

    /// <summary>
    /// Checks the list if it is due, and records each revoked certificate. Until all of them are recorded, the list is checked again at the
    /// next opportunity.
    /// </summary>
    /// <param name="id">The list.</param>
    /// <param name="authority">The directory URL of the CA that issued the certificates.</param>
    /// <param name="issuer">A certificate of the issuer.</param>
    /// <param name="serialNumbers">The serial numbers of the certificates.</param>
    /// <param name="record">Records that a certificate is revoked, and returns whether that was stored.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    /// <returns>The time of the next check.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<DateTimeOffset> LookAsync(
        RevocationListId id,
        Uri authority,
        ReadOnlyMemory<byte> issuer,
        IReadOnlySet<string> serialNumbers,
        Func<RevokedEntry, Task<bool>> record,
        CancellationToken cancellationToken)
    {
        var known = await store.ReadRevocationListAsync(id.Url, id.IssuerKey, cancellationToken);
        var set = HashOf(serialNumbers);
        if (known is not null && known.NextChecks.TryGetValue(set, out var next) && IsAhead(next))
        {
            return next;
        }

        try
        {
            var seen = _tags.TryGetValue(id, out var before) && serialNumbers.IsSubsetOf(before.SerialNumbers) ? before.Tag : null;
            using var certificate = LoadIssuer(issuer);
            var fetched = await client.FetchAsync(
                id.Url,
                authority,
                seen,
                (body, token) => RevocationListReader.ReadAsync(body, certificate, id.Url, serialNumbers, token),
                cancellationToken);
            metrics.RevocationListFetched(authority, fetched is null ? Outcomes.NotModified : Outcomes.Succeeded);
            var list = fetched?.List;
            CheckNotOlder(list, known);

            // As long as something is left to record, the list must be sent again, changed or not.
            _tags.TryRemove(id, out _);
            var complete = await RecordAllAsync(list?.Revoked ?? [], record);
            var wait = complete ? LongestInterval - (Spread * jitter()) : TimeSpan.Zero;
            var number = list?.Number?.ToString(CultureInfo.InvariantCulture) ?? known?.Number;
            next = await StoreAsync(id, known, set, number, wait, cancellationToken);
            if (complete && (fetched is null ? seen : fetched.Tag) is { } tag)
            {
                _tags[id] = (tag, serialNumbers);
            }

            return next;
        }
        catch (Exception exception) when (exception is HttpRequestException or UnusableRevocationListException
            or IOException and not StorageUnavailableException)
        {
            metrics.RevocationListFetched(authority, Outcomes.Failed);
            logger.RevocationListUnusable(id.Url, exception.Message);
            return await StoreAsync(id, known, set, known?.Number, AfterFailure, cancellationToken);
        }
    }

    /// <summary>Removes the state of all lists but these.</summary>
    public void ForgetOthers(IReadOnlySet<Uri> urls)
    {
        foreach (var id in _tags.Keys.Where(i => !urls.Contains(i.Url)))
        {
            _tags.TryRemove(id, out _);
        }

        foreach (var url in _nextChecks.Keys.Where(u => !urls.Contains(u)))
        {
            _nextChecks.TryRemove(url, out _);
        }
    }

    // A time from a clock that was far ahead does not count.
    private bool IsAhead(DateTimeOffset nextCheck) => nextCheck > time.GetUtcNow() && nextCheck <= time.GetUtcNow() + LongestInterval;

    private static async Task<bool> RecordAllAsync(IReadOnlyList<RevokedEntry> entries, Func<RevokedEntry, Task<bool>> record)
    {
        var complete = true;
        foreach (var entry in entries)
        {
            complete &= await record(entry);
        }

        return complete;
    }

    private static void CheckNotOlder(RevocationList? list, RevocationListRecord? record)
    {
        // The store is not trusted: a value that is not a number, or that is longer than CRL numbers may be, is ignored.
        if (list is not null && record?.Number is { Length: <= MostDigits } known
            && BigInteger.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out var seen) && list.Number < seen)
        {
            throw new UnusableRevocationListException(
                $"its number {list.Number} is lower than {seen}, which was seen before: the list is outdated");
        }
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

    // Instances that write at the same time may overwrite each other. Then a restart checks once more than necessary.
    private async Task<DateTimeOffset> StoreAsync(
        RevocationListId id, RevocationListRecord? known, string set, string? number, TimeSpan wait, CancellationToken cancellationToken)
    {
        var next = time.GetUtcNow() + wait;
        var others = (known?.NextChecks ?? new Dictionary<string, DateTimeOffset>())
            .Where(c => c.Key != set && IsAhead(c.Value))
            .OrderByDescending(c => c.Value)
            .Take(MostSets - 1);
        var record = new RevocationListRecord
        {
            Url = id.Url,
            IssuerKey = id.IssuerKey,
            Number = number,
            NextChecks = others.Append(new(set, next)).ToDictionary(),
        };
        try
        {
            await store.WriteRevocationListAsync(record, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // A store that is full or read-only for days is no reason to fetch the list again and again.
            logger.RevocationLookNotStored(id.Url, exception.Message);
        }

        return next;
    }

    private static string HashOf(IReadOnlySet<string> serialNumbers)
    {
        var text = string.Join('\n', serialNumbers.Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)).AsSpan(0, 16));
    }
}
