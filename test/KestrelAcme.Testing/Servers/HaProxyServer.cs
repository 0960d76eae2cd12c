using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// HAProxy as a TCP balancer: each of its ports leads to a random one of some servers, and to another one if that is down.
/// </summary>
public sealed class HaProxyServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private ChildProcess? _process;

    /// <summary>Its output.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts HAProxy; skips the running test if it is not installed.</summary>
    /// <param name="ports">By the port to listen on at 127.0.0.1: the ports of the servers.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<HaProxyServer> StartAsync(IReadOnlyDictionary<int, int[]> ports, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ports);
        var executable = RequireServer.Installed("haproxy", "haproxy");
        var server = new HaProxyServer();
        try
        {
            var configuration = server._folder.Write("haproxy.cfg", CreateConfiguration(ports));
            server._process = ChildProcess.Start(executable, ["-db", "-f", configuration]);
            await StartAttempts.UntilAnswersAsync(server._process, token => ListensAsync(ports.Keys, token), cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Returns how many connections to one of the servers ended before that server sent a byte: it was killed, or it closed them.
    /// </summary>
    /// <param name="port">The port at which the balancer accepted them.</param>
    /// <param name="server">The server's place among those of the port, from zero.</param>
    public int CountCutOff(int port, int server)
        => _process!.Lines.Count(line => line.EndsWith($"port{port}/s{server} bytes=0", StringComparison.Ordinal));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static async Task<bool> ListensAsync(IEnumerable<int> ports, CancellationToken cancellationToken)
    {
        foreach (var port in ports)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
        }

        return true;
    }

    // A server that refuses a connection is passed over at once, as a health check would have it a moment later. The next one is picked at
    // random, too, so it takes many tries to find the only one that listens.
    private static string CreateConfiguration(IReadOnlyDictionary<int, int[]> ports) => $"""
        global
          nbthread 1
          log stdout format raw local0 info
        defaults
          mode tcp
          log global
          log-format "%b/%s bytes=%B"
          timeout connect 2s
          timeout client 30s
          timeout server 30s
          retries 200
          option redispatch 1
          balance random(1)

        {string.Join("\n", ports.Select(port => $"""
            listen port{port.Key}
              bind 127.0.0.1:{port.Key}
            {string.Join("\n", port.Value.Select((server, i) => $"  server s{i} 127.0.0.1:{server}"))}

            """))}

        """;
}
