namespace KestrelAcme.Configuration;

/// <summary>
/// Certificates for names that nobody configured, obtained while their first visitor waits: the section <c>AcmeHttps:OnDemand</c>. Nothing
/// is issued without a permission, which is an <see cref="Certificates.IIssuancePermission"/> or <see cref="AskUrl"/>.
/// </summary>
public sealed class OnDemandOptions
{
    /// <summary>
    /// The URL that is asked whether a name may have a certificate, with <c>?domain=</c> and the name: every 2xx status means yes, and
    /// every 4xx status no, except 401, 407, 408, and 429. These, all others, and no response within 10 seconds mean that it is not known:
    /// stored certificates are served, and nothing is ordered. Redirects are not followed. Ignored if the app has an <see
    /// cref="Certificates.IIssuancePermission"/>.
    /// </summary>
    /// <value>None.</value>
    public string? AskUrl { get; set; }

    /// <summary>
    /// How long a connection waits for its certificate before the handshake, and never longer than the endpoint's handshake time-out. After
    /// that, the client gets what <see cref="AcmeHttpsOptions.MissingCertificate"/> says, and the order goes on.
    /// </summary>
    /// <value>10 seconds; from zero to 5 minutes.</value>
    public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The number of connections that wait at once, and once more for names that have a certificate already. Others are refused
    /// immediately. Clients of one network, and those that ask for one name, take at most an eighth, or 16.
    /// </summary>
    /// <value>500; from 1 to 100,000.</value>
    public int MaxWaiting { get; set; } = 500;

    /// <summary>How many names may be new within an hour, for all instances together.</summary>
    /// <value>50, half of what Let's Encrypt allows an account; from 1 to 1,000,000.</value>
    public int MaxNewNamesPerHour { get; set; } = 50;

    /// <summary>How many names may be new within a day, for all instances together.</summary>
    /// <value>1000; from 1 to 1,000,000.</value>
    public int MaxNewNamesPerDay { get; set; } = 1000;

    /// <summary>How many names below one registered domain may be new within a week, for all instances together.</summary>
    /// <value>25, half of what Let's Encrypt allows; from 1 to 1,000,000.</value>
    public int MaxNewNamesPerRegisteredDomain { get; set; } = 25;

    /// <summary>
    /// How many names may be new within an hour because of clients of one network (/24 for IPv4, /48 for IPv6), for all instances together.
    /// Raise it if all clients come through a proxy: as many connections of a network may wait.
    /// </summary>
    /// <value>20; from 1 to 1,000,000.</value>
    public int MaxNewNamesPerClientNetwork { get; set; } = 20;

    /// <summary>
    /// Whether a new name must lead to this application in DNS before anything is asked of the CA: to an address of this machine, to one
    /// of <see cref="Addresses"/>, or to a server that returns a token of this application.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool CheckAddress { get; set; } = true;

    /// <summary>
    /// Addresses or networks, such as <c>203.0.113.0/24</c>, that lead to this application: those of its load balancer or CDN. If set, a
    /// new name must lead to one of them or to this machine.
    /// </summary>
    /// <value>Empty.</value>
    public IList<string> Addresses { get; set; } = [];

    /// <summary>
    /// After how long without a visitor a name is not renewed any more. It is forgotten with its files two weeks later, so that a clock
    /// that is ahead for a while deletes nothing.
    /// </summary>
    /// <value>60 days; from one day to ten years.</value>
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromDays(60);

    /// <summary>Whether a name that is denied is served with its certificate until that expires. It is not renewed.</summary>
    /// <value><see langword="false"/>: it is no longer served.</value>
    public bool KeepServingDenied { get; set; }

    /// <summary>
    /// Whether IP addresses can get a certificate on demand: the local address that a client without a server name reached.
    /// </summary>
    /// <value><see langword="false"/>.</value>
    public bool AllowIpAddresses { get; set; }

    /// <summary>Whether a certificate on demand may contain wildcards, because of <see cref="SubjectMapping"/> or the permission.</summary>
    /// <value><see langword="false"/>.</value>
    public bool AllowWildcards { get; set; }

    /// <summary>
    /// The wildcards, such as <c>*.example.com</c>, whose certificates serve the names that they cover, instead of a certificate for each.
    /// The permission is asked about the names of the clients, and the settings of the certificate are those of the first one. It is
    /// renewed as long as one of the names that were allowed last still is. Needs <see cref="AllowWildcards"/> and a DNS challenge.
    /// </summary>
    /// <value>Empty: each name has its own certificate.</value>
    public IList<string> SubjectMapping { get; set; } = [];
}
