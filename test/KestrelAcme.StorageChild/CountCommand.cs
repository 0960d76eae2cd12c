using System.Globalization;
using System.Text;
using KestrelAcme.Storage;

namespace KestrelAcme.StorageChild;

/// <summary>Counts up a value that other processes count up, too, each under a short lease that is often lost.</summary>
internal static class CountCommand
{
    private const int AtOnce = 3;

    /// <summary>
    /// Adds one as many times as asked, and writes each result to standard output. If a write under a lost lease succeeds, or if two
    /// processes hold the lease at once, the sum comes out too low.
    /// </summary>
    public static async Task<int> RunAsync(IAcmeStorage storage, string name, int times, int milliseconds)
    {
        var (counted, refused) = (0, 0);
        while (counted < times)
        {
            await using var lease = await storage.TryAcquireLeaseAsync(name, TimeSpan.FromMilliseconds(milliseconds));
            if (lease is null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                continue;
            }

            try
            {
                for (var i = 0; i < AtOnce && counted < times; i++)
                {
                    var next = await ReadAsync(storage) + 1;
                    await storage.WriteAsync("count", Encoding.ASCII.GetBytes(next.ToString(CultureInfo.InvariantCulture)), lease);
                    counted++;
                    Console.WriteLine($"wrote {next} under {lease.FencingNumber}");
                    await lease.RenewAsync();
                }
            }
            catch (LeaseLostException)
            {
                refused++;
            }
        }

        Console.WriteLine($"done, {refused} refused");
        return 0;
    }

    public static async Task<int> ReadAsync(IAcmeStorage storage)
        => await storage.ReadAsync("count") is { } value ? int.Parse(value.Span, CultureInfo.InvariantCulture) : 0;
}
