using KestrelAcme.Certificates;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A domain source that signals a change before it has made the next token, and so hands out the one that has fired. It fails before the
/// stack does.
/// </summary>
internal sealed class FiredSource : IDomainSource
{
    private const int Most = 500;
    private readonly CancellationChangeToken _token = new(new CancellationToken(canceled: true));
    private int _tokens;
    private int _questions;

    public int Tokens => Volatile.Read(ref _tokens);

    public int Questions => Volatile.Read(ref _questions);

    public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult<IReadOnlyCollection<string>>([]);
    }

    public IChangeToken GetChangeToken()
        => Interlocked.Increment(ref _tokens) < Most ? _token : throw new InvalidOperationException("Too many tokens.");
}
