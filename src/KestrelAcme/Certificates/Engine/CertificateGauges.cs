using System.Diagnostics.Metrics;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Engine;

/// <summary>The gauges of the meter <c>KestrelAcme</c>, which are computed when somebody reads them.</summary>
internal sealed class CertificateGauges(
    CertificateOverview overview, CertificateScheduler scheduler, AcmeHttpsMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// With more certificates, there are no gauges for each of them but only aggregates: ten thousand series would cost more than they
    /// tell, and a choice among them would change from hour to hour.
    /// </summary>
    public const int MostSeries = 200;

    // One reading asks each gauge after the other.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private static readonly CertificateState[] States = Enum.GetValues<CertificateState>();
    private static readonly CertificateProblems[] Problems
        = [.. Enum.GetValues<CertificateProblems>().Where(p => p != CertificateProblems.None)];

    private readonly Lock _lock = new();
    private Reading? _last;

    /// <summary>Adds the gauges to the meter. Called once.</summary>
    public void Publish()
    {
        var meter = metrics.Meter;
        meter.CreateObservableGauge(
            Instruments.Expiry, () => Read().Expiry, Instruments.Seconds,
            $"Time until a served certificate expires, negative afterwards; with more than {MostSeries} certificates, nothing.");
        meter.CreateObservableGauge(
            Instruments.Renewal, () => Read().Renewal, Instruments.Seconds,
            $"Time until the planned order for a certificate, negative if it is late; with more than {MostSeries} certificates, nothing.");
        meter.CreateObservableGauge(
            Instruments.EarliestExpiry, () => Read().EarliestExpiry, Instruments.Seconds,
            "Time until the first of the served certificates expires, negative afterwards.");
        meter.CreateObservableUpDownCounter(
            Instruments.Certificates, () => Read().ByState, "{certificate}", "Managed certificates, by state.");
        meter.CreateObservableUpDownCounter(
            Instruments.Problems, () => Read().ByProblem, "{certificate}", "Managed certificates that need attention, by problem.");
        meter.CreateObservableUpDownCounter(
            Instruments.QueueLength, QueueLength, "{job}", "Jobs for certificates that are due and wait for a free slot, by lane.");
    }

    private Reading Read()
    {
        lock (_lock)
        {
            if (_last is not { } last || time.GetElapsedTime(last.Taken) > Fresh)
            {
                _last = last = Take();
            }

            return last;
        }
    }

    private Reading Take()
    {
        var isSmall = overview.Count <= MostSeries;
        List<Measurement<double>> expiry = [], renewal = [];
        var states = new int[States.Length];
        var problems = new int[Problems.Length];
        double? earliest = null;
        var now = time.GetUtcNow();
        foreach (var condition in overview.Look())
        {
            states[(int)condition.State]++;
            for (var i = 0; i < problems.Length; i++)
            {
                problems[i] += condition.Problems.HasFlag(Problems[i]) ? 1 : 0;
            }

            if (condition.Expiry is { TotalSeconds: var left } && !(left > earliest) && condition.State != CertificateState.Abandoned
                && !condition.Certificate.IsLeftToExpire(now))
            {
                earliest = left;
            }

            if (isSmall)
            {
                var id = AcmeHttpsMetrics.Tag(InstrumentTags.CertificateId, condition.Certificate.Id);
                Add(expiry, condition.Expiry, id);
                Add(renewal, condition.Renewal, id);
            }
        }

        return new Reading(
            time.GetTimestamp(),
            expiry,
            renewal,
            earliest is { } value ? [new(value)] : [],
            [.. States.Select((s, i) => new Measurement<int>(states[i], Tag(InstrumentTags.CertificateState, s)))],
            [.. Problems.Select((p, i) => new Measurement<int>(problems[i], Tag(InstrumentTags.CertificateProblem, p)))]);
    }

    private static void Add(List<Measurement<double>> series, TimeSpan? value, KeyValuePair<string, object?> id)
    {
        if (value is { TotalSeconds: var seconds })
        {
            series.Add(new Measurement<double>(seconds, id));
        }
    }

    private IEnumerable<Measurement<int>> QueueLength()
        => Enum.GetValues<WorkLane>().Select(l => new Measurement<int>(scheduler.CountDue(l), Tag(InstrumentTags.Lane, l)));

    private static KeyValuePair<string, object?> Tag<T>(string key, T value)
        where T : struct, Enum => AcmeHttpsMetrics.Tag(key, AcmeHttpsMetrics.Word(value.ToString()));

    private sealed record Reading(
        long Taken,
        IReadOnlyList<Measurement<double>> Expiry,
        IReadOnlyList<Measurement<double>> Renewal,
        IReadOnlyList<Measurement<double>> EarliestExpiry,
        IReadOnlyList<Measurement<int>> ByState,
        IReadOnlyList<Measurement<int>> ByProblem);
}

/// <summary>
/// How all managed certificates are, for health checks and metrics. From memory: nothing is read and nothing is waited for, unless the
/// doctor is called.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateOverview(
    CertificateCatalog catalog, IssuanceStatus issuance, ConfigurationSource configuration, TimeProvider time, CallDoctor doctor)
{
    /// <summary>Why this instance orders nothing, unless it was configured so, or it has not started yet.</summary>
    public string? Obstacle
        => issuance.IsKnown && configuration.Current.Issuance != IssuanceMode.ServeOnly ? issuance.ReasonNotToOrder : null;

    /// <summary>The number of managed certificates.</summary>
    public int Count => catalog.All.Count;

    /// <summary>The public status of a certificate.</summary>
    public CertificateStatus Status(ManagedCertificate certificate)
        => CertificateStatuses.Create(certificate, orders: issuance.ReasonNotToOrder is null, time.GetUtcNow());

    /// <summary>Calls the doctor, who also looks at what the certificates depend on.</summary>
    public Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken) => doctor().DiagnoseAsync(cancellationToken);

    /// <summary>Looks at each managed certificate.</summary>
    public IEnumerable<CertificateCondition> Look()
    {
        var (now, obstacle, orders) = (time.GetUtcNow(), Obstacle, issuance.ReasonNotToOrder is null);
        foreach (var certificate in catalog.All)
        {
            yield return new CertificateCondition(
                certificate,
                CertificateStatuses.StateOf(certificate),
                certificate.Current?.NotAfter - now,
                orders ? CertificateStatuses.NextOrder(certificate, now) - now : null,
                certificate.FindProblems(obstacle, now));
        }
    }
}

/// <summary>How a managed certificate is at one moment.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="State">Its state, as in its status.</param>
/// <param name="Expiry">The time until it expires, negative afterwards; <see langword="null"/> if there is none.</param>
/// <param name="Renewal">The time until the next order, negative if it is late; <see langword="null"/> if none is planned.</param>
/// <param name="Problems">What an operator should look at.</param>
internal readonly record struct CertificateCondition(
    ManagedCertificate Certificate, CertificateState State, TimeSpan? Expiry, TimeSpan? Renewal, CertificateProblems Problems);
