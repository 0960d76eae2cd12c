using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Looks at the app's own endpoints, over connections to this machine.</summary>
internal sealed class ServerExaminer(
    IServer server,
    KestrelEndpoints endpoints,
    IPlainHttpEndpoints plainHttp,
    DoctorObstacles obstacles,
    TokenProbe probe,
    CertificateCatalog catalog,
    ConfigurationSource configuration)
{
    private const int MostEndpoints = 4;

    /// <summary>Returns what can be seen without a connection.</summary>
    public ServerFacts Look() => new()
    {
        Addresses = [.. server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []],
        NotBound = obstacles.NotBound,
        StartFailure = obstacles.StartFailure,
        AnyIsOurs = endpoints.AnyIsOurs,
        NeedsPort80 = configuration.Current.Certificates.Any(c => IsHttp01(c.ChallengeTypes))
            || (configuration.Current is { OnDemand: not null } current && IsHttp01(current.ChallengeTypes)),
    };

    /// <summary>Requests a token from each plain HTTP endpoint.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> RequestTokenAsync(string host, TrialToken trial, CancellationToken cancellationToken)
    {
        var findings = new List<DiagnosisFinding>();
        foreach (var endpoint in plainHttp.List().Distinct().Take(MostEndpoints))
        {
            var result = await probe.AskAsync(endpoint, host, trial.Token, trial.Response, cancellationToken);
            findings.Add(ServerVerdicts.Loopback(endpoint, result, obstacles.IsTaken(endpoint.Port)));
        }

        return findings;
    }

    /// <summary>Connects to the HTTPS endpoints as a client of a name does.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ConnectAsync(string name, CancellationToken cancellationToken)
    {
        var findings = new List<DiagnosisFinding>();
        string[] expected = [.. catalog.All.FindAllByName(name).Select(c => c.Current?.SerialNumber).OfType<string>()];
        foreach (var endpoint in HttpsEndpoints().Distinct().Take(MostEndpoints))
        {
            var served = await ConnectAsync(name, endpoint, expected, cancellationToken);
            findings.AddRange(new[]
            {
                ServerVerdicts.Handshake(name, served),
                ServerVerdicts.Insistence(name, expected.Length > 0, served.Hsts),
            }.OfType<DiagnosisFinding>());
        }

        return findings;
    }

    private static async Task<ServedFacts> ConnectAsync(
        string name, IPEndPoint endpoint, string[] expected, CancellationToken cancellationToken)
    {
        var facts = new ServedFacts { EndPoint = endpoint, Expected = expected };
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = async (_, token) => await TokenProbe.ConnectAsync(endpoint, token),
            SslOptions = new SslClientAuthenticationOptions
            {
                // The certificate is what is examined. Nothing but a request for the app's own start page is sent.
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    facts = Note(facts, certificate);
                    return facts.SerialNumber is not null;
                },
            },
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Head, new UriBuilder(Uri.UriSchemeHttps, name, endpoint.Port).Uri);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.Headers.TryGetValues("Strict-Transport-Security", out var values)
                ? facts with { Hsts = values.FirstOrDefault() }
                : facts;
        }
        catch (HttpRequestException exception)
        {
            return facts.SerialNumber is null ? facts with { Failure = Describe(exception) } : facts;
        }
    }

    private static bool IsHttp01(IEnumerable<string> types) => types.All(t => t == Http01TokenTable.Type);

    private static ServedFacts Note(ServedFacts facts, X509Certificate? certificate)
        => certificate is null ? facts : facts with
        {
            SerialNumber = certificate.GetSerialNumberString(),
            Subject = QuotedText.Of(certificate.Subject, QuotedText.MaxNameLength),
            IsSelfSigned = certificate.Subject == certificate.Issuer,
        };

    private static string Describe(Exception exception) => exception.GetBaseException() switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "it refused the connection.",
        AuthenticationException or IOException => "it was refused.",
        var other => QuotedText.Words(other.Message, QuotedText.MaxReplyLength),
    };

    private IEnumerable<IPEndPoint> HttpsEndpoints()
        => from address in obstacles.StartFailure is null ? Look().Of("https://") : []
           let binding = BindingAddress.Parse(address)
           where !binding.IsUnixPipe && !binding.IsNamedPipe
           select new IPEndPoint(PlainHttpEndpoints.AddressOf(binding.Host), binding.Port);
}
