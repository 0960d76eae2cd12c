using System.Net;
using System.Net.Security;
using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Decides what a client gets. Runs before the handshake, where waiting for a context is allowed.</summary>
internal sealed class TlsSelector(
    TlsCertificateTable table,
    CertificateContexts contexts,
    PlaceholderCertificate placeholder,
    ICertificateLoadGate late,
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

        var (name, address) = Wanted(hello.ServerName, hello.Address, localAddress);
        var entry = Find(name, address, hello.AcceptedKeys);
        if (entry is null && name is null && ManagedName(name, address) is null)
        {
            return table.Managed.Sole is { } sole
                ? SoleAsync(sole, hello.AcceptedKeys, hello.AcceptedBelowTls13)
                : new(new TlsSelection(TlsOutcome.Nameless));
        }

        // While certificates are being read, another one may be the sole one with an address, or what stands in for the name.
        return !late.AllPublished && (entry is null || name is null) && ManagedName(name, address) is { } managed
            ? WaitAsync(name ?? managed, name, address, hello.AcceptedKeys, hello.AcceptedBelowTls13)
            : entry is null ? new(WithoutCertificate(name, address))
            : Select(entry, name, address, hello.AcceptedKeys, hello.AcceptedBelowTls13);
    }

    // The one certificate that can be meant. What the app configured itself for such clients comes first, which is not known here.
    private async ValueTask<TlsSelection> SoleAsync(string name, KeyKinds accepted, KeyKinds below)
    {
        var entry = Find(name, null, accepted);
        var selection = entry is null && !late.AllPublished ? await WaitAsync(name, name, null, accepted, below)
            : entry is null ? WithoutCertificate(name, null)
            : await Select(entry, name, null, accepted, below);
        return selection with { Outcome = TlsOutcome.Nameless };
    }

    private CertificateEntry? Find(string? name, IPAddress? address, KeyKinds accepted) => name is not null ? table.Find(name, accepted) : table.Find(address, accepted);

    // Another instance may have the order in hand.
    private async ValueTask<TlsSelection> FindSharedAsync(string name) => Challenge(name, await sharedChallenges.FindAsync(name));

    private static TlsSelection Challenge(string? name, SslStreamCertificateContext? challenge)
        => challenge is null ? new TlsSelection(TlsOutcome.Missing, name) : new TlsSelection(TlsOutcome.Challenge, name, challenge);

    // Addresses are validated by their reverse-mapping names (RFC 8738 section 6). The store is asked for no name that is foreign.
    private bool MayBeValidated(string name)
        => table.Managed.Find(name) is not null || (HostName.AddressOf(name) is { } address && table.Managed.Contains(address));

    // Asked for again once it was published, or never will be.
    private async ValueTask<TlsSelection> WaitAsync(string wanted, string? name, IPAddress? address, KeyKinds accepted, KeyKinds below)
    {
        await late.PublishAsync(wanted);
        var entry = Find(name, address, accepted);
        if (entry is null)
        {
            // Nothing is stored for the name itself: what stands in for it comes last.
            await late.PublishAllAsync();
            entry = Find(name, address, accepted);
        }

        return entry is null ? WithoutCertificate(name, address) : await Select(entry, name, address, accepted, below);
    }

    private ValueTask<TlsSelection> Select(CertificateEntry entry, string? name, IPAddress? address, KeyKinds accepted, KeyKinds below)
    {
        return below != accepted && Find(name, address, below) is { } other && other != entry ? SelectBothAsync(entry, other, name)
            : Select(entry, name);
    }

    private ValueTask<TlsSelection> Select(CertificateEntry entry, string? name)
    {
        return entry.Context is { } context
            ? new(Served(entry, context, name))
            : MakeAsync(entry, name);
    }

    // Which version of TLS the endpoint speaks is known when the handshake begins: its own options, an Sni section or the app's
    // OnAuthenticate decide.
    private async ValueTask<TlsSelection> SelectBothAsync(CertificateEntry entry, CertificateEntry below, string? name)
        => new VersionedSelection(await Select(entry, name), await Select(below, name));

    /// <summary>Decides where nobody looked at the ClientHello before: the context is made on this thread, and nothing else is waited for.</summary>
    public TlsSelection Select(string? serverName, IPAddress? localAddress)
    {
        var literal = serverName is not null && HostName.TryReadAddress(Encoding.UTF8.GetBytes(serverName), out var parsed) ? parsed : null;
        var sent = string.IsNullOrEmpty(serverName) || literal is not null ? null : HostName.FromUnicode(serverName);
        var (name, address) = Wanted(sent, literal, localAddress);
        var outcome = TlsOutcome.Certificate;
        if (name is null && Find(name, address, KeyKinds.Ecdsa | KeyKinds.Rsa) is null && ManagedName(name, address) is null)
        {
            (name, outcome) = (table.Managed.Sole, TlsOutcome.Nameless);
            if (name is null)
            {
                return new TlsSelection(outcome);
            }
        }

        var made = Make(name, address);
        return outcome == TlsOutcome.Nameless ? made with { Outcome = outcome } : made;
    }

    private TlsSelection Make(string? name, IPAddress? address)
    {
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

    // A client without a name: the address that it sent in its place, the mapping, its local address, the sole certificate with an
    // address, the default name.
    private (string? Name, IPAddress? Address) Wanted(string? serverName, IPAddress? literal, IPAddress? localAddress)
    {
        if (serverName is not null)
        {
            return (serverName, null);
        }

        if (literal is not null && table.Knows(literal))
        {
            return (null, literal);
        }

        var current = table.Settings;
        if (localAddress is not null && current.LocalAddressNames.TryGetValue(localAddress, out var mapped))
        {
            return IPAddress.TryParse(mapped, out var address) ? (null, address) : (HostName.Normalize(mapped), null);
        }

        var known = table.Find(localAddress, KeyKinds.Ecdsa | KeyKinds.Rsa) is not null || table.Managed.Find(localAddress) is not null;
        return known || current.DefaultServerName is null ? (null, localAddress) : Default(current.DefaultServerName, localAddress);
    }

    // One that is not ours is as good as none.
    private (string? Name, IPAddress? Address) Default(string written, IPAddress? localAddress)
    {
        if (IPAddress.TryParse(written, out var address))
        {
            return (null, address);
        }

        var name = HostName.Normalize(written);
        var known = table.Managed.Find(name) is not null || table.Find(name, KeyKinds.Ecdsa | KeyKinds.Rsa) is not null;
        return known ? (name, null) : (null, localAddress);
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

/// <summary>
/// A decision that depends on the version of TLS, for the client offers several, and verifies other keys below TLS 1.3: the endpoint has
/// the last word on it.
/// </summary>
/// <param name="Tls13">What is served by TLS 1.3.</param>
/// <param name="Below">What is served by an earlier version.</param>
internal sealed record VersionedSelection(TlsSelection Tls13, TlsSelection Below) : TlsSelection(Tls13)
{
    public override TlsSelection For(SslServerAuthenticationOptions endpoint) => TlsVersions.IncludeTls13(endpoint) ? Tls13 : Below;
}
