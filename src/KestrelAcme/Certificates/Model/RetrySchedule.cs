namespace KestrelAcme.Certificates.Model;

/// <summary>The waits after failures. The defaults are what Let's Encrypt recommends to its clients.</summary>
/// <param name="Name">The waits after the first, second, ... failure of the name; the last one repeats.</param>
/// <param name="Operator">The wait between attempts if an operator must fix the cause.</param>
/// <param name="AuthorityFirst">The wait after the first failure of the CA; doubled up to <paramref name="AuthorityLongest"/>.</param>
/// <param name="AuthorityLongest">The longest wait before a failing CA is tried again.</param>
/// <param name="Local">The wait after the first failure of this machine; doubled up to <see cref="LocalLongest"/>.</param>
/// <param name="JitterShare">The share of a wait, 0 to 1, that is added at random.</param>
internal sealed record RetrySchedule(
    IReadOnlyList<TimeSpan> Name,
    TimeSpan Operator,
    TimeSpan AuthorityFirst,
    TimeSpan AuthorityLongest,
    TimeSpan Local,
    double JitterShare)
{
    /// <summary>The longest wait after a failure of this machine, or of a CA that fails for this certificate alone.</summary>
    public TimeSpan LocalLongest { get; init; } = Local * 30;

    public static RetrySchedule Default { get; } = new(
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(100), TimeSpan.FromDays(1)],
        TimeSpan.FromDays(1),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(1),
        0.1);
}

/// <summary>How often an order failed in a row through the CA's fault, and when validations of its names failed.</summary>
/// <param name="OfTheAuthority">The failures of the CA, for all certificates.</param>
/// <param name="OfThisCertificate">The failures of this certificate alone. Others may succeed in between.</param>
/// <param name="FailedValidations">The times of failed validations within the last hour, including the current one.</param>
internal readonly record struct FailureRun(
    int OfTheAuthority, int OfThisCertificate = 0, IReadOnlyList<DateTimeOffset>? FailedValidations = null);
