using System.Net;
using System.Net.Security;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Decides what a client gets. Runs before the handshake, where waiting for a context is allowed.</summary>
internal sealed class TlsSelector(
    TlsCertificateTable table,
    CertificateContexts contexts,
    PlaceholderCertificate placeholder,
    ReportedNames reported,
    TimeProvider timeProvider,
    ILogger<TlsSelector> logger)
{
    /// <summary>Decides about a ClientHello that arrived at a local address (unmapped).</summary>
    public ValueTask<TlsSelection> SelectAsync(in ClientHello hello, IPAddress? localAddress)
    {
        if (hello.IsAcmeTls)
        {
            var challenge = hello.ServerName is { } validated ? table.FindChallenge(validated) : null;
            return new(challenge is null ? new TlsSelection(TlsOutcome.Missing, hello.ServerName) : new TlsSelection(TlsOutcome.Challenge, hello.ServerName, challenge));
        }

        var (name, address) = Wanted(hello.ServerName, localAddress);
        var entry = name is not null ? table.Find(name, hello.AcceptedKeys) : table.Find(address, hello.AcceptedKeys);
        if (entry is null)
        {
            return new(WithoutCertificate(name, address));
        }

        return entry.Context is { } context
            ? new(Served(entry, context, name))
            : MakeAsync(entry, name);
    }

    /// <summary>Decides where nobody looked at the ClientHello before: the context is made on this thread.</summary>
    public TlsSelection Select(string? serverName, IPAddress? localAddress)
    {
        var normalized = string.IsNullOrEmpty(serverName) ? null : HostName.Normalize(serverName);
        var selection = SelectAsync(new ClientHello(normalized, IsAcmeTls: false, KeyKinds.Ecdsa | KeyKinds.Rsa, OffersTls13: true), localAddress);
        return selection.IsCompleted ? selection.Result : selection.AsTask().GetAwaiter().GetResult();
    }

    // A client without a name: the mapping, its local address, the sole certificate with an address, the default name.
    private (string? Name, IPAddress? Address) Wanted(string? serverName, IPAddress? localAddress)
    {
        if (serverName is not null)
        {
            return (serverName, null);
        }

        var current = table.Settings;
        if (localAddress is not null && current.LocalAddressNames.TryGetValue(localAddress, out var mapped))
        {
            return IPAddress.TryParse(mapped, out var address) ? (null, address) : (HostName.Normalize(mapped), null);
        }

        var known = table.Find(localAddress, KeyKinds.Ecdsa | KeyKinds.Rsa) is not null || table.Managed.Contains(localAddress);
        return known || current.DefaultServerName is null ? (null, localAddress) : (HostName.Normalize(current.DefaultServerName), null);
    }

    private async ValueTask<TlsSelection> MakeAsync(CertificateEntry entry, string? name)
    {
        try
        {
            return Served(entry, await contexts.GetAsync(entry), name);
        }
        catch (InvalidCertificateException exception)
        {
            if (reported.TryReport(entry.Material.Id))
            {
                logger.CertificateUnusable(entry.Material.Id, exception.Message);
            }

            return Missing(entry.Material.Names[0]);
        }
    }

    private TlsSelection Served(CertificateEntry entry, SslStreamCertificateContext context, string? name)
    {
        entry.Touch(timeProvider);
        return new TlsSelection(TlsOutcome.Certificate, name, context, entry);
    }

    // What is logged is our own name: under a wildcard, clients choose theirs.
    private TlsSelection WithoutCertificate(string? name, IPAddress? address)
    {
        var managed = name is not null ? table.Managed.Find(name)
            : table.Managed.Contains(address) ? address?.ToString() ?? "the only address"
            : null;
        return managed is null ? new TlsSelection(TlsOutcome.Foreign, name) : Missing(managed);
    }

    private TlsSelection Missing(string name)
    {
        if (table.Settings.MissingCertificate == MissingCertificate.Refuse)
        {
            return new TlsSelection(TlsOutcome.Missing, name);
        }

        if (reported.TryReport(name))
        {
            logger.PlaceholderServed(name);
        }

        return new TlsSelection(TlsOutcome.Certificate, name, placeholder.Context);
    }
}
