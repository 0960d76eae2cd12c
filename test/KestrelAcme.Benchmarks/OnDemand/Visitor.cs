using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>Visits names at a server over TLS, each time with a full handshake; the same for all servers.</summary>
internal sealed class Visitor(IPEndPoint server)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Connects, makes the handshake, and asks for a page.</summary>
    public async Task<Visit> VisitAsync(string name)
    {
        using var limit = new CancellationTokenSource(Longest, TimeProvider.System);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var started = Stopwatch.GetTimestamp();
        var handshake = double.NaN;
        try
        {
            await socket.ConnectAsync(server, limit.Token);
            await using var tls = new SslStream(new NetworkStream(socket));
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = name,
                AllowTlsResume = false,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOf(name, certificate),
            };
            await tls.AuthenticateAsClientAsync(options, limit.Token);
            handshake = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"), limit.Token);
            var buffer = new byte[4096];
            var read = await tls.ReadAtLeastAsync(buffer, 12, throwOnEndOfStream: false, limit.Token);
            var total = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            var line = Encoding.ASCII.GetString(buffer, 0, Math.Min(read, 12));
            return new Visit(line == "HTTP/1.1 200", handshake, total, line);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or SocketException
            or OperationCanceledException)
        {
            return new Visit(
                false, handshake, Stopwatch.GetElapsedTime(started).TotalMilliseconds, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>Visits a name until it is served, and says how often and how long it took.</summary>
    public async Task<(int Visits, double Milliseconds)> UntilServedAsync(string name, ChildProcess process)
    {
        var clock = Stopwatch.StartNew();
        for (var visits = 1; ; visits++)
        {
            var visit = await VisitAsync(name);
            if (visit.Served)
            {
                return (visits, clock.Elapsed.TotalMilliseconds);
            }

            if (process.HasExited || clock.Elapsed > Start)
            {
                throw new InvalidOperationException($"{process.Name} does not serve {name}: {visit.Answer}. Output:\n{process.Output}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>Makes one handshake after another for a name, with a pause between them, until it is over.</summary>
    /// <returns>Their times in milliseconds. A handshake that failed counts as infinitely long.</returns>
    public async Task<List<double>> HandshakesAsync(string name, Func<List<double>, bool> isOver)
    {
        List<double> times = [];
        while (!isOver(times))
        {
            var visit = await VisitAsync(name);
            times.Add(visit.Served ? visit.Handshake : double.PositiveInfinity);
            await Task.Delay(Pause, TimeProvider.System);
        }

        return times;
    }

    // A placeholder is signed by itself.
    private static bool IsOf(string name, X509Certificate? certificate)
        => certificate is X509Certificate2 leaf && leaf.Subject != leaf.Issuer && leaf.MatchesHostname(name);
}

/// <summary>One visit.</summary>
/// <param name="Served">Whether it got the page over a connection with the name's own certificate.</param>
/// <param name="Handshake">Milliseconds from the connect to the end of the handshake.</param>
/// <param name="Total">Milliseconds from the connect to the first bytes of the page, or to the failure.</param>
/// <param name="Answer">What came instead of the page.</param>
internal sealed record Visit(bool Served, double Handshake, double Total, string Answer);
