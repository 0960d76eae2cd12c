namespace KestrelAcme.Storage.FileSystem;

/// <summary>Names the running system whose kernel keeps our file locks: containers of one machine share it, another machine or the next boot has its own.</summary>
internal static class MachineIdentity
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    public static string Current { get; } = Find();

    private static string Find()
    {
        try
        {
            if (OperatingSystem.IsLinux() && File.Exists(BootIdPath))
            {
                return File.ReadAllText(BootIdPath).Trim();
            }
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // A sandbox hides it. A name of our own makes others wait for the lease to run out, which is safe.
            return Guid.NewGuid().ToString();
        }

        return Environment.MachineName;
    }
}
