using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>Makes handshakes and looks whether the certificate is the right one; the same for all servers.</summary>
internal sealed class ColdClient(int port, string name)
{
    private static readonly TimeSpan WhileRefused = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan WhileWrong = TimeSpan.FromMilliseconds(20);

    /// <summary>Connects until a handshake has the right certificate, and returns its connection.</summary>
    public async Task<SslStream> FirstAsync(string rootPem, CancellationToken cancellationToken)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(rootPem);
        while (true)
        {
            try
            {
                return await ConnectAsync(policy, cancellationToken);
            }
            catch (SocketException)
            {
                await Task.Delay(WhileRefused, TimeProvider.System, cancellationToken);
            }
            catch (Exception exception) when (exception is AuthenticationException or IOException)
            {
                await Task.Delay(WhileWrong, TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>Asks for the page /jit: methods, and seconds of compilation.</summary>
    public async Task<(int Methods, double Seconds)> AskJitAsync(SslStream connection, CancellationToken cancellationToken)
    {
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"GET /jit HTTP/1.0\r\nHost: {name}\r\n\r\n"), cancellationToken);
        using var reader = new StreamReader(connection);
        var words = (await reader.ReadToEndAsync(cancellationToken)).Split('\n')[^1].Split(' ');
        return (int.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture) / 1000);
    }

    /// <summary>Makes full handshakes, four at a time.</summary>
    public Task WorkAsync(int handshakes, CancellationToken cancellationToken)
        => Parallel.ForAsync(
            0, handshakes, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (_, token) =>
        {
            await using var connection = await ConnectAsync(null, token);
        });

    private async Task<SslStream> ConnectAsync(X509ChainPolicy? policy, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? connection = null;
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            connection = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await connection.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    AllowTlsResume = false,
                    CertificateChainPolicy = policy,
                    RemoteCertificateValidationCallback = policy is null ? static (_, _, _, _) => true : null,
                },
                cancellationToken);
            return connection;
        }
        catch
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            socket.Dispose();
            throw;
        }
    }
}
