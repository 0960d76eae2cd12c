using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Ports 80 and 443 of 127.0.0.1, for a CA that validates only there. One test per machine holds them at a time; the application under
/// test binds them itself. If they cannot be bound, the running test is skipped.
/// </summary>
public sealed class ValidationPorts : IDisposable
{
    private readonly MachineLock _lock;

    private ValidationPorts(MachineLock held) => _lock = held;

    /// <summary>Waits for the ports for up to three minutes.</summary>
    public static async Task<ValidationPorts> AcquireAsync(CancellationToken cancellationToken = default)
    {
        MachineLock? held = null;
        await Poll.UntilAsync(
            () => (held = MachineLock.TryTake("kestrel-acme-validation-ports")) is not null,
            "another test to give back ports 80 and 443",
            TimeSpan.FromMinutes(3),
            cancellationToken);
        var ports = new ValidationPorts(held!);
        try
        {
            CheckFree(80);
            CheckFree(443);
            return ports;
        }
        catch
        {
            ports.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static void CheckFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException exception)
        {
            RequireServer.Missing($"127.0.0.1:{port} cannot be bound: {exception.Message}.");
        }
    }
}
