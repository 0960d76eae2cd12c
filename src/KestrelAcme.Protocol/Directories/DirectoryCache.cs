using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Directories;

/// <summary>Fetches the directory and caches it; runs one fetch at a time, for all its callers. Thread-safe.</summary>
internal sealed class DirectoryCache(Uri url, TimeSpan maxAge, TimeProvider timeProvider, AcmeTransport transport)
{
    private const int MaxRedirects = 5;

    // Never disposed: a call that is running while the client is disposed releases it afterwards.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly SharedFailure _failure = new(timeProvider);
    private Entry? _entry;

    public async Task<AcmeDirectory> GetAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } directory)
        {
            return directory;
        }

        var waitingSince = timeProvider.GetTimestamp();
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Fresh() is { } fetchedMeanwhile)
            {
                return fetchedMeanwhile;
            }

            _failure.ThrowIfAfter(waitingSince);
            var fetched = await FetchAsync(cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _entry, new Entry(fetched, timeProvider.GetTimestamp()));
            return fetched;
        }
        catch (AcmeException exception)
        {
            _failure.Note(exception);
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Drops the cached directory, because one of its URLs no longer exists.</summary>
    public void Invalidate() => Volatile.Write(ref _entry, null);

    private AcmeDirectory? Fresh() =>
        Volatile.Read(ref _entry) is { } entry && timeProvider.GetElapsedTime(entry.Since) < maxAge ? entry.Directory : null;

    private async Task<AcmeDirectory> FetchAsync(CancellationToken cancellationToken)
    {
        var current = url;
        for (var redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            var call = new AcmeCall("Reading the ACME directory", current)
            {
                TakesRedirects = true,
                Kind = AcmeRequestKind.Directory,
                Hint = "Check that the directory URL is complete, path included.",
            };
            var response = await transport.GetAsync(call, cancellationToken).ConfigureAwait(false);
            if (!response.IsRedirect)
            {
                return AcmeDirectory.FromDocument(response.Read(AcmeJson.Default.DirectoryDocument), response);
            }

            // The response drops a Location that is not allowed.
            current = response.Location ?? throw response.Malformed("its redirect does not lead to an HTTPS URL");
        }

        throw new AcmeException($"Reading the ACME directory failed: {url} redirects more than {MaxRedirects} times.")
        {
            Operation = "Reading the ACME directory",
            Url = url,
        };
    }

    private sealed record Entry(AcmeDirectory Directory, long Since);
}
