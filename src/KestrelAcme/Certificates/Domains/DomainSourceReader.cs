using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>
/// Reads the names of one source and remembers the last good result, also across restarts. A source that fails at startup removes no name.
/// </summary>
internal sealed class DomainSourceReader(IDomainSource source, string slug, CertificateStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);
    private volatile IReadOnlyCollection<string>? _last;
    private volatile IReadOnlyCollection<string>? _stored;
    private volatile bool _answered;

    public IDomainSource Source => source;

    private string Name => source.GetType().Name;

    /// <summary>Returns the last good result without asking the source; <see langword="null"/> if there is none.</summary>
    public async Task<IReadOnlyCollection<string>?> RecallAsync(CancellationToken cancellationToken)
    {
        if (_last is null)
        {
            try
            {
                _last = _stored = (await store.ReadDomainSourceAsync(slug, cancellationToken))?.Names;
            }
            catch (StorageUnavailableException exception)
            {
                logger.DomainSourceNotRecalled(Name, exception.Message);
            }
        }

        return _last;
    }

    public async Task<IReadOnlyCollection<string>> ReadAsync(CancellationToken cancellationToken)
    {
        var last = await RecallAsync(cancellationToken) ?? [];
        using var limit = new TimeLimit(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // A source that ignores its token must not delay the others.
            var names = await source.GetDomainNamesAsync(both.Token).WaitAsync(both.Token);
            if (names.Count == 0 && last.Count > 0 && _answered)
            {
                logger.DomainSourceEmpty(Name, last.Count);
                return last;
            }

            _answered = true;
            _last = names;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.DomainSourceFailed(Name, last.Count, exception);
            return last;
        }

        await KeepAsync(_last, cancellationToken);
        return _last;
    }

    // An empty result after a restart is used, but not stored. If it was a mistake, the next restart would find nothing to serve.
    private async Task KeepAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0
            || (_stored is { } stored && stored.Count == names.Count && stored.ToHashSet(StringComparer.Ordinal).SetEquals(names)))
        {
            return;
        }

        try
        {
            await store.WriteDomainSourceAsync(slug, new DomainSourceRecord { Names = [.. names] }, cancellationToken);
            _stored = names;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or ArgumentException)
        {
            logger.DomainSourceNotKept(Name, exception.Message);
        }
    }
}
