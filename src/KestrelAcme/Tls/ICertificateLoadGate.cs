using System.Net;
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

/// <summary>Obtains certificates for names that nobody configured, while connections for them wait before their handshakes.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface IOnDemandGate
{
    /// <summary>Whether IP addresses can get a certificate on demand.</summary>
    bool AllowsAddresses { get; }

    /// <summary>Whether a connection for a name that has no certificate may have to wait. Takes no lock and does no I/O.</summary>
    /// <param name="name">The normalized name or address.</param>
    /// <param name="managed">The managed name that covers it, if there is one.</param>
    bool Concerns(string name, string? managed);

    /// <summary>
    /// Waits until a name has a certificate, is known not to get one, or the time is over, which does not end the order. Never throws.
    /// </summary>
    /// <param name="name">The normalized name or address.</param>
    /// <param name="client">The address of the client.</param>
    /// <param name="length">The number of bytes that the connection keeps in memory meanwhile.</param>
    /// <param name="gone">Canceled when the client is no longer worth waiting for.</param>
    /// <returns><see langword="false"/> if the name gets no certificate: it is as foreign as any other.</returns>
    Task<bool> WaitAsync(string name, IPAddress? client, long length, CancellationToken gone);
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
