using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Orders;

/// <summary>We stop by ourselves before the authority would: one more certificate for these names could make the name unrenewable for a week.</summary>
internal sealed class ExactSetLimitException(int issued, DateTimeOffset next, TimeSpan retryAfter)
    : Exception($"{issued} certificates for exactly these names were obtained within 7 days; public authorities allow 5. The next is ordered on {next:u} at the earliest. " +
        "Look for what makes the application order again and again: a store that is lost, or a restart loop.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>We stop by ourselves before the authority would: one more failed validation could have the name refused for an hour.</summary>
internal sealed class ValidationLimitException(int failed, DateTimeOffset next, TimeSpan retryAfter, string? last)
    : Exception(QuotedText.Of(
        $"{failed} validations of a name failed within an hour; public CAs allow 5. The next attempt is on {next:u} at the earliest. {last}".TrimEnd()))
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
