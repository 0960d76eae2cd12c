using System.Net.Sockets;

namespace KestrelAcme.Testing;

/// <summary>
/// A name that one process on this machine holds at a time: a bound socket in Linux's abstract namespace. It leaves no file behind,
/// and the system releases it when the process ends, however it ends. Elsewhere than on Linux it excludes nobody.
/// </summary>
internal sealed class MachineLock : IDisposable
{
    private readonly Socket? _socket;

    private MachineLock(Socket? socket) => _socket = socket;

    /// <summary>Takes a name.</summary>
    /// <returns><see langword="null"/> if somebody has it.</returns>
    public static MachineLock? TryTake(string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new MachineLock(null);
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint($"\0{name}"));
            return new MachineLock(socket);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
    }

    public void Dispose() => _socket?.Dispose();
}

/// <summary>Keeps test processes that run side by side from handing out the same port: each takes blocks of ports for as long as it lives.</summary>
/// <remarks>Not safe for concurrent use.</remarks>
internal sealed class PortReservations(int first, int end)
{
    private const int BlockSize = 16;

    private readonly HashSet<int> _taken = [];
    private readonly List<MachineLock> _locks = [];
    private int _next;
    private int _left;

    /// <summary>The next port that no other process and no earlier call was given.</summary>
    public int Next()
    {
        if (_left == 0)
        {
            _next = TakeBlock();
            _left = BlockSize;
        }

        _left--;
        return _next++;
    }

    private int TakeBlock()
    {
        var blocks = (end - first) / BlockSize;
        for (var attempt = 0; attempt < 10 * blocks; attempt++)
        {
            var block = Random.Shared.Next(blocks);
            if (_taken.Add(block) && MachineLock.TryTake($"kestrel-acme-test-ports-{block}") is { } held)
            {
                _locks.Add(held);
                return first + (block * BlockSize);
            }
        }

        throw new InvalidOperationException($"All ports between {first} and {end} are taken.");
    }
}
