using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Responds to any token with the account at the first CA, for instances that share an account key but no store (<c>Http01Stateless</c>).
/// </summary>
/// <remarks>Safe for concurrent use. A response never waits.</remarks>
internal sealed class StatelessResponses(IAccountThumbprints accounts, ConfigurationSource configuration, TimeProvider time)
{
    private static readonly TimeSpan BetweenLoads = TimeSpan.FromSeconds(5);

    private long _loadedAt = long.MinValue;

    public bool IsEnabled => configuration.Current.Http01Stateless;

    private Uri? DirectoryUrl => configuration.Current.Authorities is [{ DirectoryUrl: var first }, ..] ? first : null;

    /// <summary>Returns the response to a token; <see langword="null"/> if this is not enabled, or if there is no account yet.</summary>
    public string? Find(string token)
    {
        if (!IsEnabled || DirectoryUrl is not { } directory)
        {
            return null;
        }

        if (accounts.Find(directory) is { } thumbprint)
        {
            return $"{token}.{thumbprint}";
        }

        LoadSoon();
        return null;
    }

    /// <summary>Reads the account, so that the first request finds it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (IsEnabled && DirectoryUrl is { } directory)
        {
            await accounts.LoadAsync(directory, static _ => true, cancellationToken);
        }
    }

    private void LoadSoon()
    {
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref _loadedAt);
        if ((last == long.MinValue || time.GetElapsedTime(last, now) >= BetweenLoads)
            && Interlocked.CompareExchange(ref _loadedAt, now, last) == last)
        {
            _ = Task.Run(LoadQuietlyAsync);
        }
    }

    // Another request tries again, and the order that needs the account reports what is wrong.
    private async Task LoadQuietlyAsync()
        => await LoadAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
