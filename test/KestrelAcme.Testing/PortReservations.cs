namespace KestrelAcme.Testing;

/// <summary>
/// Prevents test processes that run at the same time from using the same port: each locks a byte of a file for each port that it uses.
/// The system releases the locks when the process ends.
/// </summary>
internal static class PortReservations
{
    private static readonly FileStream? Ports = Open();

    /// <summary>Reserves a port for the lifetime of this process.</summary>
    /// <returns><see langword="false"/> if another process has reserved it.</returns>
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
            // The file belongs to another user. Ports are still picked at random.
            return null;
        }
    }
}
