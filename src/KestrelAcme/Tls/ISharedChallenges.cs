using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>
/// Finds tls-alpn-01 responses that other instances presented, for a validation that reaches this instance. A connection may wait for one
/// before its handshake; a handshake never waits.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ISharedChallenges
{
    /// <summary>
    /// Returns the response for a server name; <see langword="null"/> if
    /// there is none, or if the store does not respond in time. Never throws.
    /// </summary>
    ValueTask<SslStreamCertificateContext?> FindAsync(string serverName);
}

/// <summary>Finds nothing, because there are no other instances.</summary>
internal sealed class NoSharedChallenges : ISharedChallenges
{
    /// <inheritdoc/>
    public ValueTask<SslStreamCertificateContext?> FindAsync(string serverName) => default;
}
