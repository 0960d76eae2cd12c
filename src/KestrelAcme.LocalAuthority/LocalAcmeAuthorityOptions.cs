using System.Net;
using KestrelAcme.LocalAuthority.Profiles;
using KestrelAcme.LocalAuthority.Validation;

namespace KestrelAcme.LocalAuthority;

/// <summary>What a <see cref="LocalAcmeAuthority"/> is like. Set before it starts; not thread-safe.</summary>
public sealed class LocalAcmeAuthorityOptions
{
    internal Dictionary<string, ValidationEndpoints> Addresses { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The HTTPS port on 127.0.0.1. A port that is named must be free.</summary>
    /// <value>By default null: any free port; in an app 8555, or any free one when that is taken.</value>
    public int? Port { get; set; }

    /// <summary>The plain HTTP port on 127.0.0.1 that serves the CRL and the intermediate. A port that is named must be free.</summary>
    /// <value>By default null: any free port; in an app 8556, or any free one when that is taken.</value>
    public int? FilesPort { get; set; }

    /// <summary>The folder that keeps the root, the intermediate and the revocations between starts.</summary>
    /// <value>
    /// By default null: in memory when started by <see cref="LocalAcmeAuthority.StartAsync"/>, and
    /// <c>kestrel-acme-local-authority</c> under the user's local application data in an app.
    /// </value>
    public string? Folder { get; set; }

    /// <summary>Whether nothing is kept, in an app too.</summary>
    /// <value>By default false.</value>
    public bool InMemory { get; set; }

    /// <summary>Whether an app may start the authority outside the Development environment.</summary>
    /// <value>By default false: such an app does not start.</value>
    public bool AllowOutsideDevelopment { get; set; }

    /// <summary>The clock: of certificates, orders, CRLs, the Date header. It may be simulated.</summary>
    /// <value>By default the machine's.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>How long certificates are valid whose order names no profile.</summary>
    /// <value>By default 90 days.</value>
    public TimeSpan Validity { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How far before the present certificates start to be valid.</summary>
    /// <value>By default zero, so that a lifetime is what the profile says; whole seconds are cut off.</value>
    public TimeSpan Backdate { get; set; }

    /// <summary>The profiles that orders may name; an empty list leaves them out of the directory.</summary>
    /// <value>By default <c>classic</c> (90 days, with a common name) and <c>shortlived</c> (160 hours).</value>
    public IList<AuthorityProfile> Profiles { get; } =
    [
        new("classic", TimeSpan.FromDays(90)) { Description = "Ninety days.", CommonName = true },
        new("shortlived", TimeSpan.FromHours(160)) { Description = "160 hours." },
    ];

    /// <summary>The terms of service that new accounts must agree to.</summary>
    /// <value>By default null: there are none.</value>
    public Uri? TermsOfService { get; set; }

    /// <summary>Whether new accounts need an external account binding (RFC 8555 section 7.3.4).</summary>
    /// <value>By default false; a binding that is sent is checked all the same.</value>
    public bool RequireExternalAccountBinding { get; set; }

    /// <summary>The external accounts: HMAC keys in base64url by key id.</summary>
    public IDictionary<string, string> ExternalAccounts { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether accounts have an orders list; several public authorities have none.</summary>
    /// <value>By default true.</value>
    public bool OfferOrdersList { get; set; } = true;

    /// <summary>Whether there is renewal information (RFC 9773).</summary>
    /// <value>By default true.</value>
    public bool OfferRenewalInformation { get; set; } = true;

    /// <summary>Whether downloads link to a second chain that ends in another root.</summary>
    /// <value>By default false.</value>
    public bool OfferAlternateChain { get; set; }

    /// <summary>
    /// The challenge types on offer. Wildcards get those of DNS only, addresses never get them. The drafts <c>dns-account-01</c> (draft-ietf-acme-dns-account-label) and <c>dns-persist-01</c>
    /// (draft-ietf-acme-dns-persist-01, with <see cref="CaaIdentities"/>) may be added.
    /// </summary>
    /// <value>By default <c>http-01</c>, <c>tls-alpn-01</c> and <c>dns-01</c>.</value>
    public ISet<string> ChallengeTypes { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        Authorizations.ChallengeTypes.Http01,
        Authorizations.ChallengeTypes.TlsAlpn01,
        Authorizations.ChallengeTypes.Dns01,
    };

    /// <summary>The names by which the directory says that CAA records know the authority; it does not look at CAA records itself.</summary>
    /// <value>By default empty: the directory does not say.</value>
    public IList<string> CaaIdentities { get; } = [];

    /// <summary>
    /// What the hashed account URIs of <c>dns-persist-01</c> begin with, such as <c>https://ca.example/account-hash/</c>: the authority
    /// then follows draft-ietf-acme-dns-persist-02, with <see cref="CaaIdentities"/> as its issuer domain names.
    /// </summary>
    /// <value>By default null: it follows draft-ietf-acme-dns-persist-01, whose records hold the account's URL.</value>
    public string? AccountHashPrefix { get; set; }

    /// <summary>The most identifiers in an order.</summary>
    /// <value>By default 100.</value>
    public int MaxIdentifiers { get; set; } = 100;

    /// <summary>How long an order may stay unfinished.</summary>
    /// <value>By default one day.</value>
    public TimeSpan OrderLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long an authorization is pending, and again how long it is valid.</summary>
    /// <value>By default one day.</value>
    public TimeSpan AuthorizationLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The port at which names of this machine answer http-01.</summary>
    /// <value>By default 80.</value>
    public int ValidationHttpPort { get; set; } = 80;

    /// <summary>The port at which names of this machine answer tls-alpn-01.</summary>
    /// <value>By default 443.</value>
    public int ValidationTlsPort { get; set; } = 443;

    /// <summary>How long one validation may take, by the machine's clock.</summary>
    /// <value>By default 10 seconds.</value>
    public TimeSpan ValidationTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Looks up TXT records for the challenges of DNS: given the whole name (<c>_acme-challenge.…</c>) it returns the values.</summary>
    /// <value>By default null: such validations fail and say so.</value>
    public Func<string, CancellationToken, Task<IReadOnlyList<string>>>? TxtLookup { get; set; }

    /// <summary>Points the validation of a name at an endpoint, for http-01 and tls-alpn-01 alike.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for one label below; <c>*</c> for all other names, those of this machine among them.</param>
    /// <param name="endpoint">Where it answers in place of its ports 80 and 443.</param>
    public void Resolve(string name, IPEndPoint endpoint) => Resolve(name, endpoint, endpoint);

    /// <summary>Points the validation of a name at two endpoints.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for one label below; <c>*</c> for all other names, those of this machine among them.</param>
    /// <param name="http">Where it answers in place of its port 80.</param>
    /// <param name="tls">Where it answers in place of its port 443.</param>
    public void Resolve(string name, IPEndPoint http, IPEndPoint tls)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Addresses[name] = new ValidationEndpoints(http, tls);
    }
}
