using System.ComponentModel;
using System.Runtime.InteropServices;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.StorageChild;

/// <summary>Uses a store on a share whose server does not respond any more, and then one whose server is known to be away.</summary>
internal static class ShareCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Says of each call whether it ends. Needs a mount namespace of its own.</summary>
    public static async Task<int> RunAsync(FileSystemStorage storage, string root, ILogger<FileSystemStorage> log)
    {
        await storage.WriteAsync("folder/a", new byte[1]);
        await storage.Sweep;
        using var holder = new FileSystemStorage(root, TimeProvider.System, log);
        var lease = await holder.TryAcquireLeaseAsync("held", TimeSpan.FromHours(1));
        using (SilentShare.Mount(Path.GetDirectoryName(root)!))
        {
            await SayAllAsync(new BoundedStorage(storage, Limit, TimeProvider.System), "");
            await SayAsync("delay", () => Task.FromResult(storage.WatchDelay));
            await SayAsync("dispose", () =>
            {
                storage.Dispose();
                return Task.CompletedTask;
            });
        }

        using var next = new FileSystemStorage(root, TimeProvider.System, log);
        await SayAllAsync(next, " at the start");
        await SayAsync("renew", async () => await lease!.RenewAsync());
        Console.WriteLine($"lost={lease!.Lost.IsCancellationRequested}");
        return 0;
    }

    private static Task SayAllAsync(IAcmeStorage storage, string when) => Task.WhenAll(
        SayAsync($"read{when}", async () => await storage.ReadAsync("folder/a")),
        SayAsync($"write{when}", async () => await storage.WriteAsync("folder/a", new byte[1])),
        SayAsync($"delete{when}", async () => await storage.DeleteAsync("folder/a")),
        SayAsync($"lease{when}", async () => await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1))),
        SayAsync($"list{when}", async () =>
        {
            await foreach (var _ in storage.ListAsync("folder/"))
            {
                // Only whether it ends matters.
            }
        }),
        SayAsync(
            $"check{when}",
            async () => throw new StorageUnavailableException((await storage.CheckAsync()).Explanation ?? "nothing is wrong")));

    // In a thread of its own, which may be lost.
    private static async Task SayAsync(string what, Func<Task> work)
    {
        try
        {
            var working = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await working.Unwrap().WaitAsync(Patience, TimeProvider.System);
            Console.WriteLine($"{what}: fine");
        }
        catch (TimeoutException)
        {
            Console.WriteLine($"{what}: hangs");
        }
        catch (StorageUnavailableException exception)
        {
            Console.WriteLine($"{what}: {exception.Message}");
        }
    }

    /// <summary>A mounted file system that nobody answers for. When disposed, it is known to be away, but stays mounted.</summary>
    private sealed class SilentShare(SafeFileHandle device) : IDisposable
    {
        private const int RootIsAFolder = 0x4000;

        public static SilentShare Mount(string folder)
        {
            var device = File.OpenHandle("/dev/fuse", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            var mode = Convert.ToString(RootIsAFolder, 8);
            var options = $"fd={device.DangerousGetHandle()},rootmode={mode},user_id=0,group_id=0";
            return Mount("silent", folder, "fuse", 0, options) == 0
                ? new SilentShare(device)
                : throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        public void Dispose() => device.Dispose();

        [DllImport("libc", EntryPoint = "mount", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int Mount(string source, string target, string type, nuint flags, string data);
    }
}
