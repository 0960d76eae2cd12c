using System.Net.Sockets;

namespace KestrelAcme.Testing;

/// <summary>
/// A name that only one process on this machine can hold at a time: a bound socket in Linux's abstract namespace. It leaves no file
/// behind, and the system releases it when the process ends, even by a crash. On other systems it excludes nobody.
/// </summary>
internal sealed class MachineLock : IDisposable
{
    private readonly Socket? _socket;

    private MachineLock(Socket? socket) => _socket = socket;

    /// <summary>Takes a name.</summary>
    /// <returns><see langword="null"/> if it is already taken.</returns>
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

/// <summary>
/// Keeps test processes that run in parallel from handing out the same port: each reserves blocks of ports until it ends.
/// </summary>
/// <remarks>Not safe for concurrent use.</remarks>
internal sealed class PortReservations(int first, int end)
{
    private const int BlockSize = 16;

    private readonly HashSet<int> _taken = [];
    private readonly List<MachineLock> _locks = [];
    private int _next;
    private int _left;

    /// <summary>Returns the next port, given to no other process and by no earlier call.</summary>
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
