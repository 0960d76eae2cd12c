using System.Globalization;

namespace KestrelAcme.StorageChild;

/// <summary>The system's clock with another date.</summary>
internal sealed class WrongDate(TimeSpan ahead) : TimeProvider
{
    public static TimeProvider FromEnvironment() => Environment.GetEnvironmentVariable("STORAGE_DAYS_AHEAD") is { } days
        ? new WrongDate(TimeSpan.FromDays(int.Parse(days, CultureInfo.InvariantCulture)))
        : System;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
