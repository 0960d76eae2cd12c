using KestrelAcme.Storage;

namespace KestrelAcme.StorageChild;

/// <summary>What the process can be asked to do. Each says on standard output how far it is.</summary>
internal static class Commands
{
    public static async Task<int> CheckAsync(IAcmeStorage storage)
    {
        var report = await storage.CheckAsync();
        Console.WriteLine($"readable={report.Readable} writable={report.Writable} explanation={report.Explanation}");
        await TryAsync(
            "read",
            async () => Console.WriteLine(
                $"read={(await storage.ReadAsync("a"))?.Length.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "missing"}"));
        await TryAsync("write", async () => await storage.WriteAsync("a", new byte[8]));
        await TryAsync("lease", async () => await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1)));
        return 0;
    }

    /// <summary>Lists and watches what is below a prefix, and says how often something was passed over.</summary>
    public static async Task<int> ListAsync(IAcmeStorage storage, string prefix, CountingLogger log)
    {
        await foreach (var key in storage.ListAsync(prefix))
        {
            Console.WriteLine(key);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        await foreach (var _ in storage.WatchAsync(prefix, limit.Token))
        {
            break;
        }

        Console.WriteLine($"passed over {log.Of("FolderPassedOver")}");
        Console.WriteLine(log.Of("ScanFailed") == 0 && log.Exceptions == 0 ? "watched" : "watched with trouble");
        return 0;
    }

    /// <summary>Says how late a watch reports what others change.</summary>
    public static async Task<int> SayDelayAsync(IAcmeStorage storage)
    {
        await foreach (var _ in storage.WatchAsync(""))
        {
            Console.WriteLine($"delay={storage.WatchDelay.TotalSeconds}");
            break;
        }

        return 0;
    }

    /// <summary>Replaces one value for ever: each is one byte, repeated.</summary>
    public static async Task<int> WriteAsync(IAcmeStorage storage, string key)
    {
        for (var i = 0; ; i++)
        {
            var value = new byte[20_000 + (i % 256)];
            Array.Fill(value, (byte)i);
            await storage.WriteAsync(key, value);
            if (i == 0)
            {
                Console.WriteLine("ready");
            }
        }
    }

    /// <summary>Writes until nothing more fits, then reads back what was stored.</summary>
    public static async Task<int> FillAsync(IAcmeStorage storage)
    {
        var written = 0;
        try
        {
            for (; written < 10_000; written++)
            {
                await storage.WriteAsync($"fill/{written}", new byte[4000]);
            }

            return 1;
        }
        catch (StorageUnavailableException exception)
        {
            Console.WriteLine($"full={exception.Message}");
        }

        var found = 0;
        await foreach (var key in storage.ListAsync("fill/"))
        {
            found += (await storage.ReadAsync(key))?.Length == 4000 ? 1 : 0;
        }

        var report = await storage.CheckAsync();
        await storage.DeleteAsync("fill/0");
        await storage.WriteAsync("fill/0", new byte[4000]);
        Console.WriteLine($"written={written} found={found} writable={report.Writable} again=True");
        return 0;
    }

    /// <summary>Releases a lease while the disk has no free byte, and takes it again once it has.</summary>
    public static async Task<int> ReleaseOnFullDiskAsync(IAcmeStorage storage, string root, string name)
    {
        var lease = await storage.TryAcquireLeaseAsync(name, TimeSpan.FromMinutes(2))
            ?? throw new InvalidOperationException("The lease is not free.");
        var filler = Path.Join(root, "filler");
        using (var file = new FileStream(filler, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[4096]);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }

        await TryAsync("write", async () => await storage.WriteAsync("a", new byte[8]));
        await lease.DisposeAsync();
        var claims = Directory.GetDirectories(Path.Join(root, "~claims")).Length;
        File.Delete(filler);
        var next = await storage.TryAcquireLeaseAsync(name, TimeSpan.FromMinutes(2));
        Console.WriteLine($"claims={claims} again={next is not null} grows={next?.FencingNumber > lease.FencingNumber}");
        return 0;
    }

    /// <summary>Takes a lease and keeps it.</summary>
    public static async Task<int> HoldAsync(IAcmeStorage storage, string name)
    {
        var lease = await storage.TryAcquireLeaseAsync(name, TimeSpan.FromHours(1));
        Console.WriteLine(lease is null ? "refused" : $"held {lease.FencingNumber}");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        return 0;
    }

    /// <summary>Takes one lease again and again, and says in a file, inside it, when it goes in and out.</summary>
    public static async Task<int> ContendAsync(IAcmeStorage storage, string name, string journal, int times)
    {
        for (var held = 0; held < times;)
        {
            await using var lease = await storage.TryAcquireLeaseAsync(name, TimeSpan.FromMinutes(1));
            if (lease is null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                continue;
            }

            await AppendAsync(journal, $"in {Environment.ProcessId} {lease.FencingNumber}");
            await storage.WriteAsync("contended", BitConverter.GetBytes(lease.FencingNumber), lease);
            await AppendAsync(journal, $"out {Environment.ProcessId} {lease.FencingNumber}");
            held++;
        }

        return 0;
    }

    private static async Task AppendAsync(string journal, string line)
    {
        await using var file = new FileStream(journal, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\n"));
    }

    private static async Task TryAsync(string what, Func<Task> attempt)
    {
        try
        {
            await attempt();
            Console.WriteLine($"{what}: fine");
        }
        catch (StorageUnavailableException exception)
        {
            Console.WriteLine($"{what}: {exception.Message}");
        }
    }
}
