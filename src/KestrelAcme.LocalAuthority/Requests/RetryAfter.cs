using System.Globalization;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A Retry-After header in one of its two forms (RFC 9110 section 10.2.3).</summary>
internal sealed record RetryAfter(TimeSpan Delay, bool AsDate = false)
{
    public string Format(DateTimeOffset now) => AsDate
        ? now.Add(Delay).UtcDateTime.ToString("R", CultureInfo.InvariantCulture)
        : ((long)Math.Ceiling(Delay.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
