using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>
/// Lists the certificates that should exist: from the configuration, from names that were added at run time, and from domain sources.
/// </summary>
internal sealed class WantedCertificates(
    ConfigurationSource configuration,
    DomainStore added,
    Func<IEnumerable<IDomainSource>> sources,
    CertificateStore store,
    TimeProvider time,
    ILogger<WantedCertificates> logger)
{
    // A source may have a hundred thousand names, and all of them wrong in the same way.
    private const int MaxReported = 16;

    // Created at first use, because a source may need the certificate manager.
    private readonly Lazy<List<DomainSourceReader>> _sources = new(() =>
    [
        .. sources().GroupBy(s => s.GetType())
            .SelectMany(
                g => g.Select((source, i) => new DomainSourceReader(source, DomainSourceSlug.Of(g.Key, i + 1), store, time, logger))),
    ]);

    private IReadOnlyCollection<CertificateIdentifier> _lastAdded = [];
    private volatile Combined? _last;

    public IEnumerable<IDomainSource> Sources => _sources.Value.Select(s => s.Source);

    /// <summary>The certificates of the configuration.</summary>
    public IReadOnlyList<CertificateSpecification> Configured => [.. configuration.Current.Certificates];

    /// <summary>Returns the certificates that should exist without asking the domain sources, from their last results.</summary>
    public async Task<IReadOnlyList<CertificateSpecification>> RecallAsync(CancellationToken cancellationToken)
    {
        var added = await AddedAsync(cancellationToken);
        var recalled = await Task.WhenAll(_sources.Value.Select(s => s.RecallAsync(cancellationToken)));
        return Combine(added, [.. recalled.OfType<SourceNames>()]);
    }

    public async Task<IReadOnlyList<CertificateSpecification>> GatherAsync(CancellationToken cancellationToken)
    {
        var added = await AddedAsync(cancellationToken);
        return Combine(added, await Task.WhenAll(_sources.Value.Select(s => s.ReadAsync(cancellationToken))));
    }

    /// <summary>Whether every source returned names in an earlier run, so that its names are known.</summary>
    public async Task<bool> KnowsAllSourcesAsync(CancellationToken cancellationToken)
        => (await Task.WhenAll(_sources.Value.Select(s => s.RecallAsync(cancellationToken)))).All(a => a is not null);

    // Most passes find the same names as the last one. With ten thousand names, nothing is created twice.
    private List<CertificateSpecification> Combine(IReadOnlyCollection<CertificateIdentifier> added, SourceNames[] answers)
    {
        var snapshot = configuration.Current;
        List<CertificateIdentifier> names = [.. added, .. answers.SelectMany(answer => answer.Names)];
        List<RefusedName> invalid = [.. answers.SelectMany(answer => answer.Invalid)];
        var last = _last;
        if (last is null
            || !ReferenceEquals(last.Configuration, snapshot)
            || !last.Names.SequenceEqual(names)
            || !last.Invalid.SequenceEqual(invalid))
        {
            _last = last = new Combined(snapshot, names, invalid, Combine(names, invalid, snapshot));
        }

        return last.Wanted;
    }

    private List<CertificateSpecification> Combine(
        List<CertificateIdentifier> names, List<RefusedName> invalid, ConfigurationSnapshot snapshot)
    {
        var wanted = snapshot.Certificates.ToDictionary(c => c.Id, StringComparer.Ordinal);
        wanted.EnsureCapacity(wanted.Count + (names.Count * snapshot.KeyAlgorithms.Count));

        // A configured name, alone or in a group, needs no second certificate.
        var covered = snapshot.Certificates.SelectMany(c => c.Identifiers).ToHashSet();
        covered.EnsureCapacity(covered.Count + names.Count);
        var refused = new List<RefusedName>(invalid);
        foreach (var name in names)
        {
            if (DomainNameRules.Refuse(name, snapshot) is { } refusal)
            {
                refused.Add(new RefusedName(name.Value, refusal));
            }
            else if (covered.Add(name))
            {
                foreach (var specification in CertificateSpecification.ForName(name, snapshot))
                {
                    wanted.TryAdd(specification.Id, specification);
                }
            }
        }

        Report(refused);
        return [.. wanted.Values];
    }

    private void Report(List<RefusedName> refused)
    {
        foreach (var (name, refusal) in refused.Take(MaxReported))
        {
            logger.DomainRefused(Quoted.Name(name), refusal.Reason, refusal.Fix);
        }

        if (refused.Count > MaxReported)
        {
            logger.MoreDomainsRefused(refused.Count - MaxReported);
        }
    }

    private async Task<IReadOnlyCollection<CertificateIdentifier>> AddedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _lastAdded = await added.ListAsync(cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.DomainsNotRead(exception.Message);
            return _lastAdded;
        }
    }

    private sealed record Combined(
        ConfigurationSnapshot Configuration,
        List<CertificateIdentifier> Names,
        List<RefusedName> Invalid,
        List<CertificateSpecification> Wanted);
}

/// <summary>Derives the storage key of a domain source from its type. Pure.</summary>
internal static class DomainSourceSlug
{
    private const int MaxLength = 100;

    /// <param name="type">The source's type.</param>
    /// <param name="number">The number of the source among those of the same type, from 1.</param>
    public static string Of(Type type, int number)
    {
        var name = type.FullName ?? type.Name;
        var slug = string.Concat(type.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-').Take(MaxLength));
        var hash = StorageKey.Hash(name)[..8];
        return number == 1 ? $"{slug}-{hash}" : $"{slug}-{hash}-{number}";
    }
}
