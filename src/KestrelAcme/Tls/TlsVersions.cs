using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;

namespace KestrelAcme.Tls;

/// <summary>Tells whether an endpoint speaks TLS 1.3, by its options and by what the operating system allows.</summary>
internal static class TlsVersions
{
    // What this process sends as a client has passed the same limits: OPENSSL_CONF, the system's policy, Schannel's registry.
    private static readonly Lazy<bool> AllowedBySystem = new(static () =>
    {
        var sent = new ReadOnlySequence<byte>(SslContextPin.CaptureClientHello());
        return new ClientHelloReader().Read(sent, out var hello) != ClientHelloStatus.Complete || hello.OffersTls13;
    });

    /// <summary>Whether a client that offers TLS 1.3 gets it.</summary>
    public static bool IncludeTls13(SslServerAuthenticationOptions endpoint)
        => !ForbidsTls13(endpoint.CipherSuitesPolicy)
            && (endpoint.EnabledSslProtocols == SslProtocols.None
                ? AllowedBySystem.Value
                : endpoint.EnabledSslProtocols.HasFlag(SslProtocols.Tls13));

    // Without a suite of TLS 1.3, .NET leaves the version out. Such policies exist where there is OpenSSL.
    private static bool ForbidsTls13(CipherSuitesPolicy? policy)
    {
        if (policy is null || OperatingSystem.IsWindows())
        {
            return false;
        }

        foreach (var suite in policy.AllowedCipherSuites)
        {
            if ((ushort)suite >> 8 == 0x13)
            {
                return false;
            }
        }

        return true;
    }
}
