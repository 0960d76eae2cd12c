using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Profiles;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>The local authority in simulated time: a real server that is asked over real HTTP.</summary>
internal sealed class LocalAuthorityWorld : ISimulatedAuthority, IAsyncDisposable
{
    private readonly LocalAcmeAuthority _authority;
    private readonly TxtRecords _dns;
    private readonly Random _jitter;
    private readonly SocketsHttpHandler _network;
    private readonly Dictionary<string, SimulatedCertificate> _current = new(StringComparer.Ordinal);
    private (Trouble What, DateTimeOffset Until) _trouble;

    private LocalAuthorityWorld(LocalAcmeAuthority authority, TxtRecords dns, SimulatedClock clock, Weather weather, int seed)
    {
        _authority = authority;
        _dns = dns;
        _jitter = new Random(seed);
        _network = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trusting(authority.RootCertificate) },
        };
        Clock = clock;
        Weather = weather;
    }

    public const string SixWeeks = "sixweeks";
    public const string SixDays = "sixdays";

    public Uri DirectoryUrl => _authority.DirectoryUrl;

    public SimulatedClock Clock { get; }

    public Weather Weather { get; }

    public HttpTraffic Traffic { get; } = new();

    /// <summary>Every certificate, in the order of issuance.</summary>
    public List<SimulatedCertificate> Issued { get; } = [];

    public IEnumerable<SimulatedCertificate> Current => _current.Values;

    public int OrdersMade => _authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    public int AccountsMade => _authority.Requests.Count(r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });

    // Every other time when nobody can connect, requests are taken and never answered: the client's own limits have to end them.
    private bool IsSilent => _trouble.What == Trouble.Unreachable && _trouble.Until.Ticks % 2 == 0;

    public static async Task<LocalAuthorityWorld> StartAsync(
        SimulatedClock clock, Weather weather, int seed, CancellationToken cancellationToken)
    {
        var dns = new TxtRecords();
        var authority = await LocalAcmeAuthority.StartAsync(
            options =>
            {
                options.TimeProvider = new TrueTime(clock);
                options.TxtLookup = dns.FindAsync;
                options.Profiles.Clear();
                options.Profiles.Add(new AuthorityProfile(SixWeeks, TimeSpan.FromDays(45)));
                options.Profiles.Add(new AuthorityProfile(SixDays, TimeSpan.FromHours(160)));
            },
            cancellationToken);
        return new LocalAuthorityWorld(authority, dns, clock, weather, seed);
    }

    public IAuthorityClientFactory CreateClients(Lifeline life) => new HttpClients(Network(life), Clock.Machine, _jitter.NextDouble);

    public HttpMessageHandler CreateListClient(Lifeline life) => Network(life);

    public IChallengeHandler CreateChallengeHandler() => _dns;

    public async Task WhenIdleAsync()
    {
        while (true)
        {
            await Quiet.WhenIdleAsync();
            var none = Traffic.WhenNoneAsync();
            if (none.IsCompleted)
            {
                return;
            }

            await none;
        }
    }

    public void Follow()
    {
        var trouble = Weather.At(Clock.Now);

        // What a limit says of its end comes nearer all the time.
        if (trouble != _trouble || trouble.What == Trouble.RateLimited)
        {
            _trouble = trouble;
            Apply();
        }

        foreach (var issued in _authority.Issued.Skip(Issued.Count))
        {
            var certificate = new SimulatedCertificate(
                issued.CertId,
                Convert.FromHexString(issued.SerialNumber),
                issued.Identifiers[0],
                issued.IssuedAt,
                issued.Certificate.NotBefore.ToUniversalTime(),
                issued.Certificate.NotAfter.ToUniversalTime());
            if (_current.TryGetValue(certificate.Name, out var before))
            {
                before.ReplacedAt = certificate.IssuedAt;
            }

            Issued.Add(certificate);
            _current[certificate.Name] = certificate;
        }
    }

    public void Advise(SimulatedCertificate certificate, DateTimeOffset start, DateTimeOffset end)
    {
        certificate.Advise(Clock.Now, start, end);
        _authority.RenewalInformation.Set(certificate.Id, new RenewalWindow(start, end));
    }

    public async Task RevokeAsync(IReadOnlyList<SimulatedCertificate> certificates, IEnumerable<CertificateMaterial> served)
    {
        // By somebody who has the keys, whatever the weather.
        _authority.Faults.Clear();
        using var client = new AcmeClient(DirectoryUrl, new AcmeClientOptions { HttpMessageHandler = _network });
        var issued = _authority.Issued.ToDictionary(c => c.CertId, StringComparer.Ordinal);
        foreach (var certificate in certificates)
        {
            // The list tells, and nothing else, unless there is other advice after this.
            _authority.RenewalInformation.Set(certificate.Id, new RenewalWindow(certificate.Window.Start, certificate.Window.End));
            var der = issued[certificate.Id].Certificate.RawDataMemory;
            if (served.FirstOrDefault(m => m.Chain[0].Span.SequenceEqual(der.Span)) is { } material)
            {
                using var key = ECDsa.Create();
                key.ImportPkcs8PrivateKey(material.PrivateKey.Span, out _);
                await client.RevokeCertificateAsync(der, key, RevocationReason.KeyCompromise);
                certificate.ListedAt = Clock.Now;
            }
        }

        Apply();
    }

    public async ValueTask DisposeAsync()
    {
        _network.Dispose();
        await _authority.DisposeAsync();
    }

    private CountedHandler Network(Lifeline life) => new(Traffic, life, () => IsSilent, _network);

    private void Apply()
    {
        var faults = _authority.Faults;
        faults.Clear();
        switch (_trouble.What)
        {
            case Trouble.Unreachable:
                faults.Inject(null, IsSilent ? Fault.NoAnswer : Fault.CutBefore, int.MaxValue);
                break;
            case Trouble.Unavailable:
                faults.Inject(null, Fault.Unavailable(), int.MaxValue);
                break;
            case Trouble.NonceStorm:
                faults.RejectedNoncePercent = 100;
                break;
            case Trouble.RateLimited:
                faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(_trouble.Until - Clock.Now), int.MaxValue);
                break;
            default:
                break;
        }
    }

    private static X509ChainPolicy Trusting(X509Certificate2 root)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(root);
        return policy;
    }
}
