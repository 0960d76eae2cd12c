using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Decides what a client gets. Runs before the handshake, where waiting for a context is allowed.</summary>
internal sealed class TlsSelector(
    TlsCertificateTable table,
    CertificateContexts contexts,
    PlaceholderCertificate placeholder,
    ICertificateLoadGate loadGate,
    ISharedChallenges sharedChallenges,
    ReportedNames reported,
    TimeProvider timeProvider,
    ILogger<TlsSelector> logger)
{
    /// <summary>Obtains certificates on demand; <see langword="null"/> if only configured names get them. Set once, at start.</summary>
    public IOnDemandGate? OnDemand { get; set; }

    /// <summary>Decides what to serve for a ClientHello that arrived at a local address, which must not be an IPv4-mapped one.</summary>
    public ValueTask<TlsSelection> SelectAsync(in ClientHello hello, IPAddress? localAddress)
    {
        if (hello.IsAcmeTls)
        {
            var challenge = hello.ServerName is { } validated ? Response(validated) : null;
            return new(Challenge(hello.ServerName, challenge));
        }

        var (name, address) = Wanted(hello.ServerName, hello.Address, localAddress);
        var entry = Find(name, address, hello.AcceptedKeys);
        if (entry is null && name is null && ManagedName(name, address) is null)
        {
            return table.Managed.Sole is { } sole ? SoleAsync(sole, hello.AcceptedKeys, hello.AcceptedBelowTls13)
                : address is not null && OnDemand is { AllowsAddresses: true } && Awaited(null, address, hello) is { } addressed
                    ? new(addressed)
                : new(new TlsSelection(TlsOutcome.Nameless));
        }

        // One that expired while nobody came for its name is as good as none.
        if (OnDemand is not null && !(entry?.NotAfter > timeProvider.GetUtcNow().UtcTicks) && Awaited(name, address, hello) is { } awaited)
        {
            return new(awaited);
        }

        // While certificates are being loaded, a better one may turn up: the only one with an address, or one that is not retired.
        return !loadGate.AllPublished && (entry is null || name is null) && ManagedName(name, address) is { } managed
            ? WaitAsync(name ?? managed, name, address, hello.AcceptedKeys, hello.AcceptedBelowTls13)
            : entry is null ? new(WithoutCertificate(name, address))
            : Select(entry, name, address, hello.AcceptedKeys, hello.AcceptedBelowTls13);
    }

    /// <summary>Decides once more, after a connection has waited for a certificate on demand.</summary>
    public ValueTask<TlsSelection> SelectAgainAsync(AwaitedSelection awaited, bool isWanted)
    {
        var (name, address) = (awaited.ServerName, awaited.Address);
        return Find(name, address, awaited.Accepted) is { } entry ? Select(entry, name, address, awaited.Accepted, awaited.Below)
            : new(isWanted ? WithoutCertificate(name, address)
                : new TlsSelection(name is null ? TlsOutcome.Nameless : TlsOutcome.Foreign, name));
    }

    // A server name that is no host name never gets a certificate.
    private AwaitedSelection? Awaited(string? name, IPAddress? address, in ClientHello hello)
        => (name ?? address?.ToString()) is { Length: > 0 } wanted && OnDemand!.Concerns(wanted, ManagedName(name, address))
            ? new AwaitedSelection(wanted, name is null ? address : null, hello.AcceptedKeys, hello.AcceptedBelowTls13)
            : null;

    // The only certificate that the client can mean. The app's own configuration for such clients has precedence, but is unknown here.
    private async ValueTask<TlsSelection> SoleAsync(string name, KeyKinds accepted, KeyKinds below)
    {
        var entry = Find(name, null, accepted);
        var selection = entry is null && !loadGate.AllPublished ? await WaitAsync(name, name, null, accepted, below)
            : entry is null ? WithoutCertificate(name, null)
            : await Select(entry, name, null, accepted, below);
        return selection with { Outcome = TlsOutcome.Nameless };
    }

    private CertificateEntry? Find(string? name, IPAddress? address, KeyKinds accepted)
        => name is not null ? table.Find(name, accepted) : table.Find(address, accepted);

    // Another instance may have placed the order, for a name that this one does not know yet.
    private SslStreamCertificateContext? Response(string name) => table.FindChallenge(name) ?? sharedChallenges.Find(name);

    private static TlsSelection Challenge(string? name, SslStreamCertificateContext? challenge)
        => challenge is null ? new TlsSelection(TlsOutcome.NoChallenge, name) : new TlsSelection(TlsOutcome.Challenge, name, challenge);

    // Looks again when the certificate has been published, or turns out not to be stored.
    private async ValueTask<TlsSelection> WaitAsync(string wanted, string? name, IPAddress? address, KeyKinds accepted, KeyKinds below)
    {
        await loadGate.PublishAsync(wanted);
        var entry = Find(name, address, accepted);
        if (entry is null)
        {
            // Nothing is stored for the name itself. Retired certificates are loaded last.
            await loadGate.PublishAllAsync();
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

    // The TLS version is known only when the handshake starts: the endpoint's options, an Sni section or the app's OnAuthenticate
    // decide it.
    private async ValueTask<TlsSelection> SelectBothAsync(CertificateEntry entry, CertificateEntry below, string? name)
        => new VersionedSelection(await Select(entry, name), await Select(below, name));

    /// <summary>
    /// Decides for a connection whose ClientHello was not read. Creates the context on the calling thread and waits for nothing else.
    /// </summary>
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

    // For a client without a name, in this order: the address it sent in SNI, the configured mapping, its local address, the only
    // certificate with an address, the default name.
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
            return (mapped.Name, mapped.Address);
        }

        var known = table.Find(localAddress, KeyKinds.Ecdsa | KeyKinds.Rsa) is not null || table.Managed.Find(localAddress) is not null;
        return known || current.DefaultServerName is null ? (null, localAddress) : Default(current.DefaultServerName, localAddress);
    }

    // A default name that is not managed is ignored.
    private (string? Name, IPAddress? Address) Default(TlsTarget target, IPAddress? localAddress)
    {
        if (target.Name is not { } name)
        {
            return (null, target.Address);
        }

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
        contexts.NoteServed();
        return new TlsSelection(TlsOutcome.Certificate, name, context, entry);
    }

    // Logs the managed name: below a wildcard, clients choose the name.
    private TlsSelection WithoutCertificate(string? name, IPAddress? address)
        => ManagedName(name, address) is { } managed ? Missing(managed) : new TlsSelection(TlsOutcome.Foreign, name);

    private string? ManagedName(string? name, IPAddress? address)
        => name is not null ? table.Managed.Find(name) : table.Managed.Find(address);

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

/// <summary>Remembers which names have been logged, so that each is logged once.</summary>
internal sealed class ReportedNames
{
    // More would only flood the log.
    private const int MaxNames = 1000;

    private readonly ConcurrentDictionary<string, bool> _names = new(StringComparer.Ordinal);

    /// <summary>Returns <see langword="true"/> if the name has not been logged before.</summary>
    public bool TryReport(string name) => !_names.ContainsKey(name) && _names.Count < MaxNames && _names.TryAdd(name, true);
}

/// <summary>
/// The self-signed certificate that is served for managed names without a certificate. One for all names, created at first use.
/// </summary>
internal sealed class PlaceholderCertificate(TimeProvider timeProvider)
{
    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _context;

    public SslStreamCertificateContext Context
    {
        get
        {
            if (Volatile.Read(ref _context) is { } made)
            {
                return made;
            }

            lock (_gate)
            {
                return _context ??= Create();
            }
        }
    }

    private SslStreamCertificateContext Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=placeholder of KestrelAcme", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = timeProvider.GetUtcNow();
        return CertificateContextFactory.Create(request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10)));
    }
}
