using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Holds what is served under which name. Certificates are pushed in; connections only read.</summary>
internal sealed class TlsCertificateTable(
    ITlsSettingsSource settings, CertificateContexts contexts, TimeProvider timeProvider, ILogger<TlsCertificateTable> logger) : ITlsPublisher
{
    // No clock is exact, and not every CA leaves room for that.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CertificateSlot> _slots = new(StringComparer.Ordinal);
    private readonly IntermediatePool _intermediates = new();
    private readonly ChallengeAnswers _challenges = new();
    private ManagedNames _managed = new([]);

    /// <summary>The published certificates by name.</summary>
    public NameIndex Index { get; } = new();

    /// <summary>The names that we answer for.</summary>
    public ManagedNames Managed => Volatile.Read(ref _managed);

    /// <inheritdoc/>
    public void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null)
        => Volatile.Write(ref _managed, new ManagedNames(names, sole));

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
    public void SetStandIn(string id, bool standsIn)
    {
        lock (_gate)
        {
            if (_slots.TryGetValue(id, out var slot) && slot.Current is { } entry)
            {
                entry.IsRetired = standsIn;
            }
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
        => _challenges.Present(HostName.Normalize(serverName), challenge, CertificateContextFactory.Create(certificate));

    /// <inheritdoc/>
    public void WithdrawChallenge(string serverName, string challenge) => _challenges.Withdraw(HostName.Normalize(serverName), challenge);

    /// <summary>The answer to a validation by tls-alpn-01, if one is open for the name.</summary>
    public SslStreamCertificateContext? FindChallenge(string serverName) => _challenges.Find(serverName);

    /// <summary>The best certificate for a name.</summary>
    public CertificateEntry? Find(ReadOnlySpan<char> name, KeyKinds accepted) => Index.Find(name, accepted, timeProvider.GetUtcNow().UtcTicks);

    /// <summary>The best certificate for a client that sent no name. An address of ours that has none yet is not given that of another one.</summary>
    public CertificateEntry? Find(IPAddress? address, KeyKinds accepted)
    {
        var managed = Managed;
        var now = timeProvider.GetUtcNow().UtcTicks;

        // The sole one that is wanted: after a change of address, the one before is still published.
        return managed.SoleAddress is { } sole && !sole.Equals(address)
            ? Index.Find(address, exactly: true, accepted, now)
                ?? Index.Find(sole, exactly: true, accepted, now)
                ?? Index.Find(address, exactly: false, accepted, now)
            : Index.Find(address, managed.Contains(address), accepted, now);
    }

    /// <summary>Whether an address is itself in a certificate, or is to be in one.</summary>
    public bool Knows(IPAddress address)
        => Managed.Contains(address)
            || Index.Find(address, exactly: true, KeyKinds.Ecdsa | KeyKinds.Rsa, timeProvider.GetUtcNow().UtcTicks) is not null;

    /// <summary>The settings of this moment.</summary>
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

    // Names that go are taken out before the write, names that come are put in after it; names that stay see the one write.
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

    private static string[] Names(CertificateEntry? entry) => entry is null ? [] : [.. entry.Names.Select(HostName.Normalize)];
}

/// <summary>The answers to open tls-alpn-01 validations. Two orders may have one name at the same time: each puts its answer in and takes no other out.</summary>
/// <remarks>Safe for concurrent use; readers take no lock.</remarks>
internal sealed class ChallengeAnswers
{
    private readonly ConcurrentDictionary<string, (string Challenge, SslStreamCertificateContext Context)[]> _answers = new(StringComparer.Ordinal);

    /// <summary>The latest answer for a name.</summary>
    public SslStreamCertificateContext? Find(string name) => _answers.TryGetValue(name, out var answers) ? answers[^1].Context : null;

    public void Present(string name, string challenge, SslStreamCertificateContext context)
        => _answers.AddOrUpdate(name, static (_, added) => [added], static (_, answers, added) => [.. answers, added], (challenge, context));

    /// <summary>Takes out the latest of a challenge's answers.</summary>
    public void Withdraw(string name, string challenge)
    {
        while (_answers.TryGetValue(name, out var answers) && Array.FindLastIndex(answers, a => a.Challenge == challenge) is >= 0 and var at)
        {
            var done = answers.Length == 1
                ? _answers.TryRemove(new(name, answers))
                : _answers.TryUpdate(name, [.. answers[..at], .. answers[(at + 1)..]], answers);
            if (done)
            {
                return;
            }
        }
    }
}
