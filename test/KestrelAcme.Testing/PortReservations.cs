namespace KestrelAcme.Testing;

/// <summary>
/// Keeps test processes that run side by side from handing out the same port: each locks a byte of one file for every port that it
/// gives away. The system lets go of them when the process ends.
/// </summary>
internal static class PortReservations
{
    private static readonly FileStream? Ports = Open();

    /// <summary>Reserves a port for as long as this process lives.</summary>
    /// <returns><see langword="false"/> when another process has it.</returns>
    public static bool TryReserve(int port)
    {
        if (
            Ports is null || OperatingSystem.IsMacOS() || OperatingSystem.IsIOS()
                || OperatingSystem.IsTvOS() || OperatingSystem.IsFreeBSD())
        {
            return true;
        }

        try
        {
            Ports.Lock(port, 1);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static FileStream? Open()
    {
        try
        {
            return new FileStream(
                Path.Join(Path.GetTempPath(), "kestrelacme-test-ports"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another user's: ports are picked at random still.
            return null;
        }
    }
}
