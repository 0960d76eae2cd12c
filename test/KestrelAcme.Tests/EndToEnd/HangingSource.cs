using KestrelAcme.Certificates;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A domain source that never answers.</summary>
internal sealed class HangingSource : IDomainSource
{
    public async Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return [];
    }
}
