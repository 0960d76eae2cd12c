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
    ILateCertificates late,
    ISharedChallenges sharedChallenges,
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
            return challenge is null && hello.ServerName is { } open && MayBeValidated(open) ? FindSharedAsync(open) : new(Challenge(hello.ServerName, challenge));
        }

        var (name, address) = Wanted(hello.ServerName, localAddress);
        var entry = Find(name, address, hello.AcceptedKeys);

        // While certificates are being read, another one may be the sole one with an address, or what stands in for the name.
        return !late.AllPublished && (entry is null || name is null) && ManagedName(name, address) is { } managed ? WaitAsync(name ?? managed, name, address, hello.AcceptedKeys)
            : entry is null ? new(WithoutCertificate(name, address))
            : Select(entry, name);
    }

    private CertificateEntry? Find(string? name, IPAddress? address, KeyKinds accepted) => name is not null ? table.Find(name, accepted) : table.Find(address, accepted);

    // Another instance may have the order in hand.
    private async ValueTask<TlsSelection> FindSharedAsync(string name) => Challenge(name, await sharedChallenges.FindAsync(name));

    private static TlsSelection Challenge(string? name, SslStreamCertificateContext? challenge)
        => challenge is null ? new TlsSelection(TlsOutcome.Missing, name) : new TlsSelection(TlsOutcome.Challenge, name, challenge);

    // Addresses are validated by their reverse-mapping names (RFC 8738 section 6). The store is asked for no name that is foreign.
    private bool MayBeValidated(string name) => table.Managed.Find(name) is not null || name.EndsWith(".arpa", StringComparison.Ordinal);

    // Asked for again once it was published, or never will be.
    private async ValueTask<TlsSelection> WaitAsync(string wanted, string? name, IPAddress? address, KeyKinds accepted)
    {
        await late.PublishAsync(wanted);
        var entry = Find(name, address, accepted);
        if (entry is null)
        {
            // Nothing is stored for the name itself: what stands in for it comes last.
            await late.PublishAllAsync();
            entry = Find(name, address, accepted);
        }

        return entry is null ? WithoutCertificate(name, address) : await Select(entry, name);
    }

    private ValueTask<TlsSelection> Select(CertificateEntry entry, string? name)
    {
        return entry.Context is { } context
            ? new(Served(entry, context, name))
            : MakeAsync(entry, name);
    }

    /// <summary>Decides where nobody looked at the ClientHello before: the context is made on this thread, and nothing else is waited for.</summary>
    public TlsSelection Select(string? serverName, IPAddress? localAddress)
    {
        var (name, address) = Wanted(string.IsNullOrEmpty(serverName) ? null : HostName.Normalize(serverName), localAddress);
        if (Find(name, address, KeyKinds.Ecdsa | KeyKinds.Rsa) is not { } entry)
        {
            return WithoutCertificate(name, address);
        }

        try
        {
            return Served(entry, contexts.Make(entry), name);
        }
        catch (InvalidCertificateException exception)
        {
            return Unusable(entry, exception);
        }
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

        var known = table.Find(localAddress, KeyKinds.Ecdsa | KeyKinds.Rsa) is not null || table.Managed.Find(localAddress) is not null;
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
            return Unusable(entry, exception);
        }
    }

    private TlsSelection Unusable(CertificateEntry entry, InvalidCertificateException exception)
    {
        if (reported.TryReport(entry.Id))
        {
            logger.CertificateUnusable(entry.Id, exception.Message);
        }

        return Missing(entry.Names[0]);
    }

    private TlsSelection Served(CertificateEntry entry, SslStreamCertificateContext context, string? name)
    {
        entry.Touch(timeProvider);
        return new TlsSelection(TlsOutcome.Certificate, name, context, entry);
    }

    // What is logged is our own name: under a wildcard, clients choose theirs.
    private TlsSelection WithoutCertificate(string? name, IPAddress? address)
    {
        return ManagedName(name, address) is { } managed ? Missing(managed) : new TlsSelection(TlsOutcome.Foreign, name);
    }

    private string? ManagedName(string? name, IPAddress? address) => name is not null ? table.Managed.Find(name) : table.Managed.Find(address);

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
