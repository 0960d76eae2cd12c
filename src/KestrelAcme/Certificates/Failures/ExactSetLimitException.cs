using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>We stop by ourselves before the authority would: one more certificate for these names could make the name unrenewable for a week.</summary>
internal sealed class ExactSetLimitException(int issued, DateTimeOffset next, TimeSpan retryAfter)
    : Exception($"{issued} certificates for exactly these names were obtained within 7 days; public authorities allow 5. The next is ordered on {next:u} at the earliest. " +
        "Look for what makes the application order again and again: a store that is lost, or a restart loop.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
