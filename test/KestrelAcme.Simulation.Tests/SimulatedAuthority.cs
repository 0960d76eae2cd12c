using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A model of an authority, behind the seam at which the real client stands.</summary>
internal sealed class SimulatedAuthority(
    SimulatedClock clock, Weather weather, CertificateMint mint, Func<string, TimeSpan> lifetimeOf, int seed) : ISimulatedAuthority
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, Uri> _accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<int, SimulatedOrder> _orders = [];
    private readonly Dictionary<string, SimulatedCertificate> _current = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedCertificate> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _answers = new(StringComparer.Ordinal);
    private int _ordersMade;

    public static Uri DirectoryUrl { get; } = new("https://acme.model.test/directory");

    public SimulatedClock Clock => clock;

    public Weather Weather => weather;

    public CertificateMint Mint => mint;

    /// <summary>Every certificate, in the order of issuance.</summary>
    public List<SimulatedCertificate> Issued { get; } = [];

    public int OrdersMade => _ordersMade;

    public int AccountsMade => _accounts.Count;

    public int WindowQuestions { get; private set; }

    /// <summary>When validations failed.</summary>
    public List<DateTimeOffset> FailedValidations { get; } = [];

    /// <summary>Names that nobody can validate.</summary>
    public HashSet<string> Hopeless { get; } = new(StringComparer.Ordinal);

    public IEnumerable<SimulatedCertificate> Current => _current.Values;

    public IAuthorityClientFactory CreateClients(Lifeline life) => new SimulatedClientFactory(this, life);

    public HttpMessageHandler CreateListClient(Lifeline life) => new SimulatedRevocationList(this);

    public IChallengeHandler CreateChallengeHandler() => new SimulatedChallengeHandler(this);

    public Task WhenIdleAsync() => Quiet.WhenIdleAsync();

    public void Follow()
    {
        // It looks at the weather whenever it is asked something.
    }

    public void Advise(SimulatedCertificate certificate, DateTimeOffset start, DateTimeOffset end)
        => certificate.Advise(clock.Now, start, end);

    public Task RevokeAsync(IReadOnlyList<SimulatedCertificate> certificates, IEnumerable<CertificateMaterial> served)
    {
        foreach (var certificate in certificates)
        {
            certificate.ListedAt = clock.Now;
        }

        return Task.CompletedTask;
    }

    /// <summary>Puts the answer to a challenge in place, where the authority looks.</summary>
    public void Present(string token, string? keyAuthorization)
    {
        lock (_lock)
        {
            if (keyAuthorization is null)
            {
                _answers.Remove(token);
            }
            else
            {
                _answers[token] = keyAuthorization;
            }
        }
    }

    /// <exception cref="AcmeException">The weather forbids it.</exception>
    public void ThrowIfInTrouble(bool newOrder)
    {
        var (what, until) = weather.At(clock.Now);
        switch (what)
        {
            case Trouble.Unreachable:
                throw new AcmeUnreachableException("The model is unreachable.");
            case Trouble.Unavailable:
                throw new AcmeException("The model is down.")
                {
                    StatusCode = System.Net.HttpStatusCode.ServiceUnavailable,
                    Problem = new AcmeProblem { Type = AcmeProblemTypes.ServerInternal },
                };
            case Trouble.NonceStorm when Chance(0.7):
                throw new AcmeException("The model rejects the nonce.")
                {
                    StatusCode = System.Net.HttpStatusCode.BadRequest,
                    Problem = new AcmeProblem { Type = AcmeProblemTypes.BadNonce },
                };
            case Trouble.RateLimited when newOrder:
                throw new AcmeRateLimitedException("The model has had too many orders.")
                {
                    StatusCode = System.Net.HttpStatusCode.TooManyRequests,
                    RetryAfter = until - clock.Now,
                    Problem = new AcmeProblem { Type = AcmeProblemTypes.RateLimited },
                };
            default:
                return;
        }
    }

    public TimeSpan Pause(double mostSeconds)
    {
        lock (_lock)
        {
            return TimeSpan.FromSeconds(Math.Ceiling(_random.NextDouble() * mostSeconds));
        }
    }

    public Uri Register(string thumbprint)
    {
        lock (_lock)
        {
            return _accounts.TryGetValue(thumbprint, out var url)
                ? url
                : _accounts[thumbprint] = new Uri(DirectoryUrl, $"/account/{_accounts.Count + 1}");
        }
    }

    public Uri? FindAccount(string thumbprint)
    {
        lock (_lock)
        {
            return _accounts.GetValueOrDefault(thumbprint);
        }
    }

    public SimulatedOrder Place(NewOrderRequest request)
    {
        lock (_lock)
        {
            if (request.Replaces is { } replaces
                && (!_byId.TryGetValue(replaces.Value, out var replaced) || replaced.ReplacedAt is not null))
            {
                throw new AcmeException("The model does not know what is replaced.")
                {
                    StatusCode = System.Net.HttpStatusCode.Conflict,
                    Problem = new AcmeProblem { Type = AcmeProblemTypes.AlreadyReplaced },
                };
            }

            var order = new SimulatedOrder(++_ordersMade, request, clock.Now.AddHours(8));
            _orders[order.Number] = order;
            return order;
        }
    }

    public SimulatedOrder Find(int number)
    {
        lock (_lock)
        {
            return _orders.TryGetValue(number, out var order) && order.Expires > clock.Now
                ? order
                : throw new AcmeException("No such order.")
                {
                    StatusCode = System.Net.HttpStatusCode.NotFound,
                    Problem = new AcmeProblem { Type = AcmeProblemTypes.Malformed },
                };
        }
    }

    /// <summary>Looks whether the answer to an order's challenge is in place.</summary>
    public void Validate(SimulatedOrder order, string keyAuthorization)
    {
        lock (_lock)
        {
            if (order.Status == OrderStatus.Pending)
            {
                var valid = !Hopeless.Contains(order.Request.Identifiers[0].Value)
                    && _answers.GetValueOrDefault(order.Token) == keyAuthorization;
                order.Status = valid ? OrderStatus.Ready : OrderStatus.Invalid;
                if (!valid)
                {
                    FailedValidations.Add(clock.Now);
                }
            }
        }
    }

    public void Issue(SimulatedOrder order, ReadOnlyMemory<byte> certificateRequest)
    {
        lock (_lock)
        {
            if (order.Status != OrderStatus.Ready)
            {
                return;
            }

            var names = order.Request.Identifiers.Select(i => i.Value).ToList();
            var now = clock.Now;
            var notBefore = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
            var notAfter = notBefore + lifetimeOf(names[0]);
            var (der, serial) = mint.Sign(names, CertificateMint.PublicKeyOf(certificateRequest), notBefore, notAfter);
            var certificate = new SimulatedCertificate(mint.CertificateId(serial), serial, names[0], now, notBefore, notAfter);
            order.Chain = [der, mint.Issuer];
            order.Status = OrderStatus.Valid;
            Remember(certificate);
        }
    }

    public SimulatedCertificate FindCertificate(string id)
    {
        lock (_lock)
        {
            WindowQuestions++;
            return _byId.TryGetValue(id, out var certificate)
                ? certificate
                : throw new AcmeException("No such certificate.") { StatusCode = System.Net.HttpStatusCode.NotFound };
        }
    }

    public IReadOnlyList<SimulatedCertificate> Listed()
    {
        lock (_lock)
        {
            return [.. _byId.Values.Where(c => c.ListedAt is not null && c.NotAfter > clock.Now)];
        }
    }

    public bool Chance(double probability)
    {
        lock (_lock)
        {
            return _random.NextDouble() < probability;
        }
    }

    private void Remember(SimulatedCertificate certificate)
    {
        if (_current.TryGetValue(certificate.Name, out var before))
        {
            before.ReplacedAt = clock.Now;
        }

        Issued.Add(certificate);
        _current[certificate.Name] = certificate;
        _byId[certificate.Id] = certificate;
        foreach (var old in _byId.Values.Where(c => c.NotAfter < clock.Now.AddDays(-30)).Take(4).ToList())
        {
            _byId.Remove(old.Id);
        }
    }
}
