using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>Where no other instance answers.</summary>
internal sealed class NoSharedChallenges : ISharedChallenges
{
    /// <inheritdoc/>
    public ValueTask<SslStreamCertificateContext?> FindAsync(string serverName) => default;
}
