namespace KestrelAcme.Diagnostics;

/// <summary>
/// The names of the meter and of the activity source, for OpenTelemetry: <c>metrics.AddMeter(AcmeHttpsTelemetry.MeterName)</c> and
/// <c>tracing.AddSource(AcmeHttpsTelemetry.ActivitySourceName)</c>.
/// </summary>
public static class AcmeHttpsTelemetry
{
    /// <summary>The name of the meter. Its instruments are listed in <c>docs/metrics.md</c>.</summary>
    public const string MeterName = "KestrelAcme";

    /// <summary>The name of the activity source, which traces orders: each is a trace, and its steps are spans.</summary>
    public const string ActivitySourceName = "KestrelAcme";
}
