using System.Net;
using KestrelAcme.LocalAuthority.Profiles;
using KestrelAcme.LocalAuthority.Validation;

namespace KestrelAcme.LocalAuthority;

/// <summary>Options of a <see cref="LocalAcmeAuthority"/>. Set them before it starts; not thread-safe.</summary>
public sealed class LocalAcmeAuthorityOptions
{
    internal Dictionary<string, ValidationEndpoints> Addresses { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The HTTPS port on 127.0.0.1. A configured port must be free.</summary>
    /// <value>Null by default: any free port; in an app 8555, or any free port if that is taken.</value>
    public int? Port { get; set; }

    /// <summary>The plain HTTP port on 127.0.0.1 that serves the CRL and the intermediate. A configured port must be free.</summary>
    /// <value>Null by default: any free port; in an app 8556, or any free port if that is taken.</value>
    public int? FilesPort { get; set; }

    /// <summary>
    /// The folder that stores the root (see <see cref="PermittedNames"/>), the intermediate and the revocations between starts.
    /// </summary>
    /// <value>
    /// Null by default: in memory if started by <see cref="LocalAcmeAuthority.StartAsync"/>, or
    /// <c>kestrel-acme-local-authority</c> in the user's local application data in an app.
    /// </value>
    public string? Folder { get; set; }

    /// <summary>Stores nothing, even in an app.</summary>
    /// <value>False by default.</value>
    public bool InMemory { get; set; }

    /// <summary>
    /// What a root stored in a folder may issue for (name constraints, RFC 5280 section 4.2.1.10): names, each including all names
    /// below it, and addresses or networks. Developers make their systems and browsers trust such a root; if its key is stolen, it is
    /// valid for these only. Orders for other names are rejected. The constraints are part of the root: a change takes effect once the
    /// folder is deleted. <c>localhost</c> and the addresses of this machine are always permitted.
    /// </summary>
    /// <value>
    /// By default the names that nobody can own (<c>localhost</c>, <c>test</c>, <c>example</c>, <c>example.com</c>, <c>example.net</c>,
    /// <c>example.org</c>, <c>invalid</c>, <c>local</c>, <c>internal</c>, <c>home.arpa</c>) and the private, link-local, shared and
    /// documentation networks. A root in memory lives no longer than the process, and is not constrained.
    /// </value>
    public IList<string> PermittedNames { get; } =
    [
        "localhost", "test", "example", "example.com", "example.net", "example.org", "invalid", "local", "internal", "home.arpa",
        "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
        "fc00::/7", "fe80::/10", "2001:db8::/32",
    ];

    /// <summary>Allows an app to start the CA outside the Development environment.</summary>
    /// <value>False by default: such an app does not start.</value>
    public bool AllowOutsideDevelopment { get; set; }

    /// <summary>The clock of certificates, orders, CRLs and the Date header. It may be simulated.</summary>
    /// <value>The system clock by default.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The validity of certificates whose order has no profile.</summary>
    /// <value>90 days by default.</value>
    public TimeSpan Validity { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How far the start of a certificate's validity is backdated.</summary>
    /// <value>Zero by default, so that the lifetime is that of the profile; truncated to whole seconds.</value>
    public TimeSpan Backdate { get; set; }

    /// <summary>The available profiles; if empty, the directory lists none.</summary>
    /// <value><c>classic</c> (90 days, with a common name) and <c>shortlived</c> (160 hours) by default.</value>
    public IList<AuthorityProfile> Profiles { get; } =
    [
        new("classic", TimeSpan.FromDays(90)) { Description = "Ninety days.", CommonName = true },
        new("shortlived", TimeSpan.FromHours(160)) { Description = "160 hours." },
    ];

    /// <summary>The terms of service that new accounts must agree to.</summary>
    /// <value>Null by default: none.</value>
    public Uri? TermsOfService { get; set; }

    /// <summary>Whether new accounts need an external account binding (RFC 8555 section 7.3.4).</summary>
    /// <value>False by default; a binding that is sent is verified in any case.</value>
    public bool RequireExternalAccountBinding { get; set; }

    /// <summary>The external accounts: HMAC keys in base64url by key ID.</summary>
    public IDictionary<string, string> ExternalAccounts { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether accounts have an orders list; several public CAs offer none.</summary>
    /// <value>True by default.</value>
    public bool OfferOrdersList { get; set; } = true;

    /// <summary>Whether renewal information (RFC 9773) is offered.</summary>
    /// <value>True by default.</value>
    public bool OfferRenewalInformation { get; set; } = true;

    /// <summary>Whether downloads link to an alternate chain with another root.</summary>
    /// <value>False by default.</value>
    public bool OfferAlternateChain { get; set; }

    /// <summary>
    /// The challenge types on offer. Wildcards can use only DNS challenges; addresses cannot use them. The drafts <c>dns-account-01</c>
    /// (draft-ietf-acme-dns-account-label) and <c>dns-persist-01</c> (draft-ietf-acme-dns-persist-01, with <see cref="CaaIdentities"/>)
    /// can be added.
    /// </summary>
    /// <value><c>http-01</c>, <c>tls-alpn-01</c> and <c>dns-01</c> by default.</value>
    public ISet<string> ChallengeTypes { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        Authorizations.ChallengeTypes.Http01,
        Authorizations.ChallengeTypes.TlsAlpn01,
        Authorizations.ChallengeTypes.Dns01,
    };

    /// <summary>The names that identify the CA in CAA records, for the directory. CAA records themselves are not checked.</summary>
    /// <value>Empty by default: the directory has none.</value>
    public IList<string> CaaIdentities { get; } = [];

    /// <summary>
    /// The prefix of hashed account URIs in <c>dns-persist-01</c> records, such as <c>https://ca.example/account-hash/</c>. If set, the CA
    /// follows draft-ietf-acme-dns-persist-02, with <see cref="CaaIdentities"/> as its issuer domain names.
    /// </summary>
    /// <value>Null by default: the CA follows draft-ietf-acme-dns-persist-01, whose records contain the account's URL.</value>
    public string? AccountHashPrefix { get; set; }

    /// <summary>The maximum number of identifiers in an order.</summary>
    /// <value>100 by default.</value>
    public int MaxIdentifiers { get; set; } = 100;

    /// <summary>How long an order may take before it expires.</summary>
    /// <value>One day by default.</value>
    public TimeSpan OrderLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long an authorization stays pending, and later how long it stays valid.</summary>
    /// <value>One day by default.</value>
    public TimeSpan AuthorizationLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The port for http-01 validations of local names.</summary>
    /// <value>80 by default.</value>
    public int ValidationHttpPort { get; set; } = 80;

    /// <summary>The port for tls-alpn-01 validations of local names.</summary>
    /// <value>443 by default.</value>
    public int ValidationTlsPort { get; set; } = 443;

    /// <summary>The timeout of one validation, by the system clock.</summary>
    /// <value>10 seconds by default.</value>
    public TimeSpan ValidationTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Looks up TXT records for DNS challenges: takes the full name (<c>_acme-challenge.…</c>) and returns the values.</summary>
    /// <value>Null by default: such validations fail with an error that says so.</value>
    public Func<string, CancellationToken, Task<IReadOnlyList<string>>>? TxtLookup { get; set; }

    /// <summary>Directs the validation of a name to an endpoint, for both http-01 and tls-alpn-01.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for all names one label below; <c>*</c> for all other names,
    /// including local ones.</param>
    /// <param name="endpoint">The endpoint to use instead of ports 80 and 443 of the name.</param>
    public void Resolve(string name, IPEndPoint endpoint) => Resolve(name, endpoint, endpoint);

    /// <summary>Directs the validation of a name to two endpoints.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for all names one label below; <c>*</c> for all other names,
    /// including local ones.</param>
    /// <param name="http">The endpoint to use instead of port 80 of the name.</param>
    /// <param name="tls">The endpoint to use instead of port 443 of the name.</param>
    public void Resolve(string name, IPEndPoint http, IPEndPoint tls)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Addresses[name] = new ValidationEndpoints(http, tls);
    }
}
