using KestrelAcme.Certificates;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A domain source whose names a test changes; without names it fails.</summary>
internal sealed class ChangingSource(IReadOnlyCollection<string> names) : IDomainSource
{
    private readonly Lock _lock = new();
    private IReadOnlyCollection<string>? _names = names;
    private CancellationTokenSource _changed = new();

    public void Set(IReadOnlyCollection<string>? names)
    {
        CancellationTokenSource changed;
        lock (_lock)
        {
            _names = names;
            changed = _changed;
            _changed = new CancellationTokenSource();
        }

        changed.Cancel();
    }

    public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(_names ?? throw new InvalidOperationException("The database is away."));
        }
    }

    public IChangeToken GetChangeToken()
    {
        lock (_lock)
        {
            return new CancellationChangeToken(_changed.Token);
        }
    }
}
