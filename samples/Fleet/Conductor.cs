using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority;

namespace Fleet;

/// <summary>Starts everything, and shows who ordered and what each instance serves.</summary>
internal static class Conductor
{
    private const int Size = 3;
    private const string Name = "fleet.localhost";
    private static readonly string Folder = Path.GetFullPath(".kestrel-acme");

    public static async Task RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) => (pressed.Cancel, _) = (true, stopping.CancelAsync());
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            signal => (signal.Cancel, _) = (true, stopping.CancelAsync()));

        var (http, https) = (Port("HTTP_PORT", 5080), Port("HTTPS_PORT", 5443));
        await using var authority = await LocalAcmeAuthority.StartAsync(options =>
        {
            options.Folder = Path.Combine(Folder, "authority");
            options.ValidationHttpPort = http;
        });
        InstanceProcess[] instances = [];
        using var httpBalancer = new Balancer(http, () => [.. instances.Select(i => i.HttpPort).Where(port => port > 0)]);
        using var httpsBalancer = new Balancer(https, () => [.. instances.Select(i => i.HttpsPort).Where(port => port > 0)]);
        httpBalancer.Start();
        httpsBalancer.Start();

        var redis = await FindRedisAsync();
        Console.WriteLine($"The instances share {(redis is null ? $"the folder {Path.Combine(Folder, "store")}" : $"Redis at {redis}")}.");
        Console.WriteLine($"A balancer on the ports {http} and {https} leads each connection to the next one.");
        try
        {
            instances = [.. Enumerable.Range(1, Size).Select(i => InstanceProcess.Start(i, Settings(authority, redis)))];
            await ReportAsync(instances, authority, https, stopping.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C.
        }
        finally
        {
            await Task.WhenAll(instances.Select(i => i.StopAsync()));
        }
    }

    private static int Port(string variable, int standard)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), out var port) ? port : standard;

    private static Dictionary<string, string?> Settings(LocalAcmeAuthority authority, string? redis) => new()
    {
        ["AcmeHttps__DirectoryUrl"] = authority.DirectoryUrl.ToString(),
        ["AcmeHttps__TrustedRootsPath"] = authority.RootPemPath,
        ["AcmeHttps__DomainNames__0"] = Name,
        ["AcmeHttps__AcceptTermsOfService"] = "true",
        ["AcmeHttps__StoragePath"] = Path.Combine(Folder, "store"),
        ["REDIS"] = redis,
        ["Logging__LogLevel__Default"] = "Warning",
    };

    private static async Task ReportAsync(
        InstanceProcess[] instances, LocalAcmeAuthority authority, int https, CancellationToken stopping)
    {
        var serials = new List<string>();
        do
        {
            if (instances.FirstOrDefault(i => i.HasExited) is { } dead)
            {
                throw new InvalidOperationException(
                    $"Instance {dead.Number} ended. Its output says why.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, stopping);
            serials = [.. (await Task.WhenAll(instances.Select(i => ServedAsync(i.HttpsPort, stopping)))).OfType<string>()];
        }
        while (serials.Count < instances.Length || serials.Distinct().Count() > 1);

        foreach (var instance in instances)
        {
            Console.WriteLine($"Instance {instance.Number} serves certificate {serials[instance.Number - 1]}.");
        }

        Console.WriteLine($"The CA has issued {authority.Issued.Count} certificate(s) in this run. To see the instances take turns, run");
        Console.WriteLine($"  curl --cacert {authority.RootPemPath} --resolve {Name}:{https}:127.0.0.1 https://{Name}:{https}/");
        Console.WriteLine("Press Ctrl+C to stop.");
    }

    /// <summary>Returns the serial number that an instance serves; <see langword="null"/> until it has a certificate of the CA.</summary>
    private static async Task<string?> ServedAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            if (port == 0)
            {
                return null;
            }

            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            await using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Name }, cancellationToken);
            using var served = new X509Certificate2(tls.RemoteCertificate!);
            return served.Subject == served.Issuer ? null : served.SerialNumber;
        }
        catch (Exception exception) when (exception
            is IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            return null;
        }
    }

    /// <summary>Returns the address of Redis: that of the variable REDIS, or the usual one if something listens there.</summary>
    private static async Task<string?> FindRedisAsync()
    {
        if (Environment.GetEnvironmentVariable("REDIS") is { } named)
        {
            return named.Length == 0 ? null : named;
        }

        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, 6379);
            return "127.0.0.1:6379";
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
