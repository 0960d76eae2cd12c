using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Http01;
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

/// <summary>Checks the endpoints of the started server, and logs what will not work.</summary>
internal sealed class EndpointReport(
    IServer server,
    KestrelEndpoints endpoints,
    ConfigurationSource configuration,
    CertificateCatalog catalog,
    IEnumerable<IDomainSource> sources,
    ILogger<EndpointReport> logger)
{
    // TestServer, IIS and design-time tools use other servers, with which KestrelAcme has nothing to do.
    public bool KestrelIsUsed
        => server.GetType().FullName?.StartsWith("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) == true;

    public string ServerName => server.GetType().FullName ?? server.GetType().Name;

    public void Report()
    {
        var snapshot = configuration.Current;

        // No warning for an app without names, such as one from a template.
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

        var plain = PlainHttpEndpoints.Addresses(server).ToList();
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

/// <summary>Lists the addresses where the server listens for plain HTTP.</summary>
internal sealed class PlainHttpEndpoints(IServer server) : IPlainHttpEndpoints
{
    /// <summary>Returns the addresses as URLs.</summary>
    public static IEnumerable<string> Addresses(IServer server)
        => (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
            .Where(a => a.StartsWith("http://", StringComparison.OrdinalIgnoreCase));

    public IReadOnlyList<IPEndPoint> List() =>
    [
        .. Addresses(server)
            .Select(BindingAddress.Parse)
            .Where(a => !a.IsUnixPipe && !a.IsNamedPipe)
            .Select(a => new IPEndPoint(AddressOf(a.Host), a.Port)),
    ];

    // Wildcard addresses and names such as localhost are reachable at loopback.
    public static IPAddress AddressOf(string host)
        => IPAddress.TryParse(host.Trim('[', ']'), out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            ? address
            : IPAddress.Loopback;
}
