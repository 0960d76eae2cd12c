using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>Answers to tls-alpn-01 that other instances gave, where an authority asks this one. A connection may wait for one before its handshake; a handshake never does.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ISharedChallenges
{
    /// <summary>The answer for a server name; <see langword="null"/> when none is open, or it cannot be found out in time. Never throws.</summary>
    ValueTask<SslStreamCertificateContext?> FindAsync(string serverName);
}
