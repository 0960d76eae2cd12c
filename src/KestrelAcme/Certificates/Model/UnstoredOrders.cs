
namespace KestrelAcme.Certificates.Model;

/// <summary>How many certificates in a row were obtained and could not be stored, and when the next one may be ordered at the earliest: the CA is not to pay for a store that refuses. Pure.</summary>
internal sealed record UnstoredOrders(int Count, DateTimeOffset NextOrder)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static UnstoredOrders Next(UnstoredOrders? before, TimeSpan first, DateTimeOffset now)
    {
        var count = before?.Count ?? 0;
        var pause = first * Math.Pow(2, Math.Min(count, 20));
        return new UnstoredOrders(count + 1, now + (pause < Longest ? pause : Longest));
    }

    /// <summary>When the next one may be ordered; now, where the clock has gone back.</summary>
    public DateTimeOffset NotBefore(DateTimeOffset now) => NextOrder > now + Longest ? now : NextOrder;
}
