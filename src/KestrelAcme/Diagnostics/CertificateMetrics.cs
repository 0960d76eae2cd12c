using System.Diagnostics.Metrics;

namespace KestrelAcme.Diagnostics;

/// <summary>Metrics about certificates, in the meter <c>KestrelAcme</c>.</summary>
internal sealed class CertificateMetrics
{
    public const string MeterName = "KestrelAcme";

    private readonly Counter<long> _transitions;

    public CertificateMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _transitions = meter.CreateCounter<long>(
            "kestrelacme.certificate.transitions",
            "{transition}",
            "State changes of managed certificates, by the state that was entered.");
    }

    public void Entered(string state) => _transitions.Add(1, new KeyValuePair<string, object?>("state", state));
}
