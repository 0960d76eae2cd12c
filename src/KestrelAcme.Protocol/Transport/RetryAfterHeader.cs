using System.Globalization;
using System.Net.Http.Headers;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Reads both forms of Retry-After (RFC 9110 section 10.2.3).</summary>
internal static class RetryAfterHeader
{
    private static readonly TimeSpan Max = TimeSpan.FromDays(366);

    /// <summary>Returns the time to wait: never negative, at most a year.</summary>
    /// <param name="value">The header.</param>
    /// <param name="serverDate">The Date header of the same response: a date is relative to the server's clock.</param>
    /// <param name="now">This machine's clock, used if the server sent no date.</param>
    public static TimeSpan? Parse(string? value, DateTimeOffset? serverDate, DateTimeOffset now)
    {
        value = value?.Trim();
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }

        if (!value.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            // Nine digits are 31 years; more would not fit.
            return value.Length > 9 ? Max : Clamp(TimeSpan.FromSeconds(int.Parse(value, CultureInfo.InvariantCulture)));
        }

        return RetryConditionHeaderValue.TryParse(value, out var parsed) && parsed.Date is { } date
            ? Clamp(date - (serverDate ?? now))
            : null;
    }

    private static TimeSpan Clamp(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Max ? Max : wait;
}
