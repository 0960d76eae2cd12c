using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>
/// Loads stored certificates that are not published yet. A connection may wait for one before its handshake; a handshake never waits.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ICertificateLoadGate
{
    /// <summary>Whether all stored certificates are published, so that there is nothing to wait for.</summary>
    bool AllPublished { get; }

    /// <summary>
    /// Publishes what is stored for a name (exact or wildcard) or address before everything else. Returns when that is done or takes too
    /// long. Never throws.
    /// </summary>
    /// <param name="name">The normalized name or address.</param>
    Task PublishAsync(string name);

    /// <summary>Returns when all certificates, including retired ones, are published, or when that takes too long. Never throws.</summary>
    Task PublishAllAsync();
}

/// <summary>A gate for hosts without certificates to load: nothing has to be waited for.</summary>
internal sealed class NoCertificateLoadGate : ICertificateLoadGate
{
    /// <inheritdoc/>
    public bool AllPublished => true;

    /// <inheritdoc/>
    public Task PublishAsync(string name) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PublishAllAsync() => Task.CompletedTask;
}

/// <summary>
/// Finds tls-alpn-01 responses that other instances presented, for a validation that reaches this instance. They are pushed to this
/// instance beforehand: a connection never waits for the store.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ISharedChallenges
{
    /// <summary>Returns the response for a server name; <see langword="null"/> if there is none. Never waits and never throws.</summary>
    SslStreamCertificateContext? Find(string serverName);
}

/// <summary>Finds nothing, because there are no other instances.</summary>
internal sealed class NoSharedChallenges : ISharedChallenges
{
    /// <inheritdoc/>
    public SslStreamCertificateContext? Find(string serverName) => null;
}
