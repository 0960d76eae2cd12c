using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>Gathers which certificates should exist: from the configuration, from names that were added at run time, and from the application's sources.</summary>
internal sealed class WantedCertificates(
    ConfigurationSource configuration, DomainStore added, IEnumerable<IDomainSource> sources, TimeProvider time, ILogger<WantedCertificates> logger)
{
    private readonly List<DomainSourceReader> _sources = [.. sources.Select(s => new DomainSourceReader(s, time, logger))];
    private IReadOnlyList<string> _lastAdded = [];

    public IEnumerable<IDomainSource> Sources => _sources.Select(s => s.Source);

    public async Task<IReadOnlyList<CertificateSpecification>> GatherAsync(CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        var wanted = snapshot.Certificates.ToDictionary(c => c.Id, StringComparer.Ordinal);

        // A name in the configuration, alone or in a group, needs no second certificate.
        var covered = snapshot.Certificates.SelectMany(c => c.Identifiers).ToHashSet();
        foreach (var name in await NamesAsync(cancellationToken))
        {
            var result = DomainNameRules.Check(name, snapshot);
            if (!result.IsGood)
            {
                logger.DomainRefused(name, result.Reason, result.Fix);
            }
            else if (covered.Add(result.Identifier))
            {
                foreach (var specification in CertificateSpecification.ForName(result.Identifier, snapshot))
                {
                    wanted.TryAdd(specification.Id, specification);
                }
            }
        }

        return [.. wanted.Values];
    }

    private async Task<IEnumerable<string>> NamesAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>(await AddedAsync(cancellationToken));
        foreach (var source in _sources)
        {
            names.AddRange(await source.ReadAsync(cancellationToken));
        }

        return names;
    }

    private async Task<IReadOnlyList<string>> AddedAsync(CancellationToken cancellationToken)
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
}
