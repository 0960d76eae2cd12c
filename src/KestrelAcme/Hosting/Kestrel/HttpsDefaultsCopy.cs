using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>The app's HTTPS defaults, to be applied in front of ours.</summary>
/// <remarks>Only what differs from Kestrel's own is copied: <c>Kestrel:EndpointDefaults</c> has been applied to the target by then.</remarks>
internal sealed class HttpsDefaultsCopy(HttpsConnectionAdapterOptions source)
{
    private readonly HttpsConnectionAdapterOptions _pristine = new();

    public void ApplyTo(HttpsConnectionAdapterOptions target)
    {
        target.ServerCertificate = source.ServerCertificate ?? target.ServerCertificate;
        target.ServerCertificateChain = source.ServerCertificateChain ?? target.ServerCertificateChain;
        target.ServerCertificateSelector = source.ServerCertificateSelector ?? target.ServerCertificateSelector;
        target.ClientCertificateValidation = source.ClientCertificateValidation ?? target.ClientCertificateValidation;
        target.OnAuthenticate = source.OnAuthenticate ?? target.OnAuthenticate;
        target.CheckCertificateRevocation |= source.CheckCertificateRevocation;
        if (source.ClientCertificateMode != _pristine.ClientCertificateMode)
        {
            target.ClientCertificateMode = source.ClientCertificateMode;
        }

        if (source.SslProtocols != _pristine.SslProtocols)
        {
            target.SslProtocols = source.SslProtocols;
        }

        if (source.HandshakeTimeout != _pristine.HandshakeTimeout)
        {
            target.HandshakeTimeout = source.HandshakeTimeout;
        }

#pragma warning disable CS0618 // Obsolete from .NET 11; an app that uses it must not lose it.
        target.TlsClientHelloBytesCallback = source.TlsClientHelloBytesCallback ?? target.TlsClientHelloBytesCallback;
#pragma warning restore CS0618
    }
}
