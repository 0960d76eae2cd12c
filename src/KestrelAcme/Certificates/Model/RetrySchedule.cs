
namespace KestrelAcme.Certificates.Model;

/// <summary>How long to wait after failures. The defaults are what Let's Encrypt recommends to its clients.</summary>
/// <param name="Name">The waits after the first, second, ... failure that the name is to blame for; the last one repeats.</param>
/// <param name="Operator">The wait between probes of what a person must mend.</param>
/// <param name="AuthorityFirst">The wait after the first failure that the authority is to blame for; doubled up to <paramref name="AuthorityLongest"/>.</param>
/// <param name="AuthorityLongest">The longest wait before an authority in trouble is probed again.</param>
/// <param name="Local">The wait after the first failure of this machine; doubled up to <see cref="LocalLongest"/>.</param>
/// <param name="JitterShare">The share of a wait, 0 to 1, by which it is lengthened at random.</param>
internal sealed record RetrySchedule(
    IReadOnlyList<TimeSpan> Name,
    TimeSpan Operator,
    TimeSpan AuthorityFirst,
    TimeSpan AuthorityLongest,
    TimeSpan Local,
    double JitterShare)
{
    /// <summary>The longest wait after a failure of this machine, or of an authority that fails this certificate alone.</summary>
    public TimeSpan LocalLongest { get; init; } = Local * 30;

    public static RetrySchedule Default { get; } = new(
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(100), TimeSpan.FromDays(1)],
        TimeSpan.FromDays(1),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(1),
        0.1);
}
