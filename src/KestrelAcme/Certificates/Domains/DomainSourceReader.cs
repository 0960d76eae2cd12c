using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>Asks one source for its names and remembers the last good answer.</summary>
internal sealed class DomainSourceReader(IDomainSource source, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);
    private IReadOnlyCollection<string> _last = [];

    public IDomainSource Source => source;

    public async Task<IReadOnlyCollection<string>> ReadAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var names = await source.GetDomainNamesAsync(both.Token);
            if (names.Count == 0 && _last.Count > 0)
            {
                logger.DomainSourceEmpty(source.GetType().Name, _last.Count);
                return _last;
            }

            return _last = names;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.DomainSourceFailed(source.GetType().Name, _last.Count, exception);
            return _last;
        }
    }
}
