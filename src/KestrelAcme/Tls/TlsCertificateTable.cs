using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Holds the certificates to serve and the names they are served for. Certificates are pushed in; connections only read.</summary>
internal sealed class TlsCertificateTable(
    ITlsSettingsSource settings, CertificateContexts contexts, TimeProvider timeProvider, ILogger<TlsCertificateTable> logger)
    : ITlsPublisher
{
    // Clocks differ, and not every CA backdates NotBefore.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CertificateSlot> _slots = new(StringComparer.Ordinal);
    private readonly IntermediatePool _intermediates = new();
    private readonly ChallengeResponses _responses = new();
    private ManagedNames _managed = new([]);

    /// <summary>The published certificates by name.</summary>
    public NameIndex Index { get; } = new();

    /// <summary>The managed names.</summary>
    public ManagedNames Managed => Volatile.Read(ref _managed);

    /// <inheritdoc/>
    public void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null)
        => Volatile.Write(ref _managed, new ManagedNames(names, sole, Managed.OnDemand));

    /// <inheritdoc/>
    public void SetOnDemand(string id, IEnumerable<string> names, bool isManaged)
    {
        var onDemand = Managed.ChangeOnDemand();
        foreach (var name in names)
        {
            onDemand.Set(name, id, isManaged);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var material in materials)
        {
            try
            {
                Place(CreateEntry(material));
            }
            catch (InvalidCertificateException exception)
            {
                refused[material.Id] = exception.Message;
            }
        }

        logger.StoredCertificatesPublished(materials.Count - refused.Count, refused.Count);
        return refused;
    }

    /// <inheritdoc/>
    public void Publish(CertificateMaterial material)
    {
        var entry = CreateEntry(material);
        contexts.Make(entry);
        Place(entry);
        logger.CertificatePublished(material.Id, material.NotAfter);
    }

    /// <inheritdoc/>
    public void SetRetired(string id, bool isRetired)
    {
        lock (_gate)
        {
            if (_slots.TryGetValue(id, out var slot) && slot.Current is { } entry)
            {
                entry.IsRetired = isRetired;
            }
        }
    }

    /// <summary>The timestamp of the last use of a published certificate; zero if it was not used, or is not published.</summary>
    public long LastUsed(string id)
    {
        lock (_gate)
        {
            return _slots.TryGetValue(id, out var slot) && slot.Current is { } entry ? entry.LastUsed : 0;
        }
    }

    /// <inheritdoc/>
    public void Withdraw(string id)
    {
        lock (_gate)
        {
            if (_slots.Remove(id, out var slot) && slot.Current is { } entry)
            {
                foreach (var name in entry.Names)
                {
                    Index.Remove(HostName.Normalize(name), slot);
                }

                slot.Current = null;
                contexts.Drop(entry);
            }
        }
    }

    /// <inheritdoc/>
    public void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate)
        => _responses.Present(HostName.Normalize(serverName), challenge, CertificateContextFactory.Create(certificate));

    /// <inheritdoc/>
    public void WithdrawChallenge(string serverName, string challenge) => _responses.Withdraw(HostName.Normalize(serverName), challenge);

    /// <summary>Returns the response to a tls-alpn-01 validation of a name, if one is presented.</summary>
    public SslStreamCertificateContext? FindChallenge(string serverName) => _responses.Find(serverName);

    /// <summary>Finds the best certificate for a name.</summary>
    public CertificateEntry? Find(ReadOnlySpan<char> name, KeyKinds accepted)
        => Index.Find(name, accepted, timeProvider.GetUtcNow().UtcTicks);

    /// <summary>
    /// Finds the best certificate for a client that sent no name. A managed
    /// address without a certificate does not get that of another address.
    /// </summary>
    public CertificateEntry? Find(IPAddress? address, KeyKinds accepted)
    {
        var managed = Managed;
        var now = timeProvider.GetUtcNow().UtcTicks;

        // Prefer the only managed address: after the address has changed, the certificate of the previous one is still published.
        return managed.SoleAddress is { } sole && !sole.Equals(address)
            ? Index.Find(address, exactly: true, accepted, now)
                ?? Index.Find(sole, exactly: true, accepted, now)
                ?? Index.Find(address, exactly: false, accepted, now)
            : Index.Find(address, managed.Contains(address), accepted, now);
    }

    /// <summary>Whether an address is in a published certificate or is managed.</summary>
    public bool Knows(IPAddress address)
        => Managed.Contains(address)
            || Index.Find(address, exactly: true, KeyKinds.Ecdsa | KeyKinds.Rsa, timeProvider.GetUtcNow().UtcTicks) is not null;

    /// <summary>The current settings.</summary>
    public TlsSettings Settings => settings.Current;

    private CertificateEntry CreateEntry(CertificateMaterial material)
    {
        var now = timeProvider.GetUtcNow();
        if (material.NotBefore > now + LargestSkew)
        {
            logger.CertificateNotYetValid(material.Id, material.NotBefore, now);
        }

        var keyKind = CertificateCheck.Check(material);
        return new CertificateEntry(material, _intermediates.Share(material.Chain), keyKind);
    }

    // Removes dropped names before the write and adds new names after it. Names that stay see a single write.
    private void Place(CertificateEntry entry)
    {
        lock (_gate)
        {
            var id = entry.Id;
            if (!_slots.TryGetValue(id, out var slot))
            {
                _slots[id] = slot = new CertificateSlot();
            }

            var before = slot.Current;
            var old = Names(before);
            var names = Names(entry);
            foreach (var name in old)
            {
                if (!names.Contains(name))
                {
                    Index.Remove(name, slot);
                }
            }

            slot.Current = entry;
            foreach (var name in names)
            {
                if (!old.Contains(name))
                {
                    Index.Add(name, slot);
                }
            }

            if (before is not null)
            {
                contexts.Drop(before);
            }
        }
    }

    private static string[] Names(CertificateEntry? entry)
        => entry is null ? [] : [.. entry.Names.Select(HostName.Normalize)];
}

/// <summary>
/// The responses to open tls-alpn-01 challenges. Two orders may contain the same name at the same time; each adds and removes only its own
/// response.
/// </summary>
/// <remarks>Safe for concurrent use; readers take no lock.</remarks>
internal sealed class ChallengeResponses
{
    private readonly ConcurrentDictionary<string, (string Challenge, SslStreamCertificateContext Context)[]> _byName =
        new(StringComparer.Ordinal);

    /// <summary>Returns the latest response for a name.</summary>
    public SslStreamCertificateContext? Find(string name) => _byName.TryGetValue(name, out var responses) ? responses[^1].Context : null;

    public void Present(string name, string challenge, SslStreamCertificateContext context)
        => _byName.AddOrUpdate(
            name, static (_, added) => [added], static (_, responses, added) => [.. responses, added], (challenge, context));

    /// <summary>Removes the latest response of a challenge.</summary>
    public void Withdraw(string name, string challenge)
    {
        while (_byName.TryGetValue(name, out var responses)
            && Array.FindLastIndex(responses, response => response.Challenge == challenge) is >= 0 and var at)
        {
            var done = responses.Length == 1
                ? _byName.TryRemove(new(name, responses))
                : _byName.TryUpdate(name, [.. responses[..at], .. responses[(at + 1)..]], responses);
            if (done)
            {
                return;
            }
        }
    }
}

/// <summary>Receives the certificates to serve. Certificates are pushed here; a handshake never asks for one.</summary>
/// <remarks>Safe for concurrent use. Publishing is atomic: a handshake sees the previous certificate or the new one.</remarks>
internal interface ITlsPublisher
{
    /// <summary>
    /// Sets the managed names that are not on demand, with or without a certificate yet. A name that is neither managed nor published is
    /// foreign.
    /// </summary>
    /// <param name="names">All of these names, in the form of the name index: A-labels in lower case, without a trailing dot.</param>
    /// <param name="sole">
    /// A name of the only configured certificate, which is served to clients without a server name; <see langword="null"/> if several are
    /// configured.
    /// </param>
    void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null);

    /// <summary>Adds or removes the names of a certificate on demand. Not to be called by several threads at once.</summary>
    /// <param name="id">The ID of the certificate.</param>
    /// <param name="names">Its names, in the same form.</param>
    /// <param name="isManaged">Whether they are managed from now on.</param>
    void SetOnDemand(string id, IEnumerable<string> names, bool isManaged);

    /// <summary>Publishes certificates from the store. Their contexts are created at first use.</summary>
    /// <returns>The IDs of rejected certificates and the reason, such as a mismatched key or a chain out of order.</returns>
    IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials);

    /// <summary>Publishes a new certificate. Its context is created first, so that no client waits because of a renewal.</summary>
    /// <exception cref="InvalidCertificateException">
    /// The key does not match the certificate, or the chain is out of order. The previous certificate is still served.
    /// </exception>
    void Publish(CertificateMaterial material);

    /// <summary>
    /// Sets whether a published certificate is retired. A retired certificate is served only if no valid configured certificate covers the
    /// name. Does nothing if the ID is not published.
    /// </summary>
    void SetRetired(string id, bool isRetired);

    /// <summary>Stops serving a certificate. Open connections that use it are not affected.</summary>
    void Withdraw(string id);

    /// <summary>
    /// Presents a tls-alpn-01 response (RFC 8737) for a server name, served in <c>acme-tls/1</c> handshakes only. If a name has several
    /// responses, the latest is served.
    /// </summary>
    /// <param name="serverName">The server name.</param>
    /// <param name="challenge">Distinguishes this response from others for the same name, such as those of another order.</param>
    /// <param name="certificate">The response.</param>
    void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate);

    /// <summary>Withdraws one response for a server name; call it as often as the response was presented. Other responses stay.</summary>
    void WithdrawChallenge(string serverName, string challenge);
}
