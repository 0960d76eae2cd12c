using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
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
    private volatile SourceNames? _last;
    private volatile IReadOnlyCollection<string>? _stored;
    private volatile bool _answered;

    public IDomainSource Source => source;

    private string Name => source.GetType().Name;

    /// <summary>Returns the last good result without asking the source; <see langword="null"/> if there is none.</summary>
    public async Task<SourceNames?> RecallAsync(CancellationToken cancellationToken)
    {
        if (_last is null)
        {
            try
            {
                _stored = (await store.ReadDomainSourceAsync(slug, cancellationToken))?.Names;
                _last = _stored is null ? null : SourceNames.Parse(_stored);
            }
            catch (StorageUnavailableException exception)
            {
                logger.DomainSourceNotRecalled(Name, exception.Message);
            }
        }

        return _last;
    }

    public async Task<SourceNames> ReadAsync(CancellationToken cancellationToken)
    {
        var last = await RecallAsync(cancellationToken) ?? SourceNames.None;
        using var limit = new TimeLimit(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // A source that ignores its token, or blocks its thread, must not delay the others.
            var token = both.Token;
            var names = await Task.Run(() => source.GetDomainNamesAsync(token), CancellationToken.None).WaitOrAbandonAsync(token);
            if (names.Count == 0 && last.Texts.Count > 0 && _answered)
            {
                logger.DomainSourceEmpty(Name, last.Texts.Count);
                return last;
            }

            _answered = true;
            _last = last = last.Texts.SequenceEqual(names) ? last : SourceNames.Parse(names);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.DomainSourceFailed(Name, last.Texts.Count, exception);
            return last;
        }

        await KeepAsync(last.Texts, cancellationToken);
        return last;
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

/// <summary>The names of a domain source, parsed once, when the source returned them.</summary>
/// <param name="Texts">What the source returned.</param>
/// <param name="Names">The valid names among them.</param>
/// <param name="Invalid">The others, with the reasons.</param>
internal sealed record SourceNames(
    IReadOnlyList<string> Texts, IReadOnlyList<CertificateIdentifier> Names, IReadOnlyList<RefusedName> Invalid)
{
    public static SourceNames None { get; } = new([], [], []);

    public static SourceNames Parse(IReadOnlyCollection<string> texts)
    {
        var names = new List<CertificateIdentifier>(texts.Count);
        var invalid = new List<RefusedName>();

        // A copy, because the source may change its collection later.
        IReadOnlyList<string> copy = [.. texts];
        foreach (var text in copy)
        {
            var result = DomainNameParser.Parse(text);
            if (result.IsSuccess)
            {
                names.Add(result.Identifier);
            }
            else
            {
                invalid.Add(new RefusedName(text, result));
            }
        }

        return new SourceNames(copy, names, invalid);
    }
}

/// <summary>A name that gets no certificate, with the reason and the fix.</summary>
internal sealed record RefusedName(string Text, NameResult Refusal);
