using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting;

/// <summary>Looks at what the server listens on once it does, and says what will not work.</summary>
internal sealed class EndpointReport(
    IServer server, KestrelEndpoints endpoints, ConfigurationSource configuration, CertificateCatalog catalog, IEnumerable<IDomainSource> sources, ILogger<EndpointReport> logger)
{
    // TestServer, IIS and design-time tools have servers of their own: there is nothing for us to do.
    public bool KestrelIsUsed => server.GetType().FullName?.StartsWith("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) == true;

    public string ServerName => server.GetType().FullName ?? server.GetType().Name;

    public void Report()
    {
        var snapshot = configuration.Current;

        // An app that has the package and no names yet, such as one made from a template, has nothing to be warned of.
        if (!endpoints.AnyIsOurs && (snapshot.Certificates.Count > 0 || catalog.All.Count > 0 || sources.Any()))
        {
            logger.NoHttpsEndpoint();
        }

        if (snapshot.Certificates.Count == 0)
        {
            logger.NoDomainNames();
            return;
        }

        if (snapshot.Issuance == IssuanceMode.ServeOnly)
        {
            return;
        }

        ReportWildcards(snapshot);
        if (snapshot.Certificates.Any(c => c.ChallengeTypes.Any(t => t != "http-01")))
        {
            return;
        }

        var plain = (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Where(a => a.StartsWith("http://", StringComparison.OrdinalIgnoreCase)).ToList();
        if (plain.Count == 0)
        {
            logger.NoHttpEndpoint();
        }
        else if (plain.TrueForAll(a => BindingAddress.Parse(a).Port != 80))
        {
            logger.HttpEndpoints(string.Join(", ", plain));
        }
    }

    private void ReportWildcards(ConfigurationSnapshot snapshot)
    {
        const int Most = 10;
        var names = (from certificate in snapshot.Certificates
                     from identifier in certificate.Identifiers
                     where DomainNameRules.NeedsPreApproval(identifier, certificate.ChallengeTypes)
                     select identifier.Value).Distinct().Take(Most + 1).ToList();
        if (names.Count > 0)
        {
            logger.WildcardsWithoutDnsChallenge(string.Join(", ", names.Take(Most)) + (names.Count > Most ? ", and more" : ""));
        }
    }
}
