using System.Diagnostics.Metrics;

namespace KestrelAcme.Diagnostics;

/// <summary>The counters and histograms of the meter <c>KestrelAcme</c>. Without a listener, they cost nothing.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AcmeHttpsMetrics
{
    // Orders take from a second to minutes, steps from a millisecond.
    private static readonly InstrumentAdvice<double> OrderBuckets
        = new() { HistogramBucketBoundaries = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800] };

    private static readonly InstrumentAdvice<double> StepBuckets
        = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900] };

    // Made once: counting a handshake allocates nothing, even if somebody listens.
    private static readonly KeyValuePair<string, object?>[] Sources
        = [.. Enum.GetNames<HandshakeSource>().Select(s => Tag(InstrumentTags.CertificateSource, Word(s)))];

    private readonly TimeProvider _time;
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _orders;
    private readonly Histogram<double> _orderDuration;
    private readonly Histogram<double> _stepDuration;
    private readonly Counter<long> _challengeRequests;
    private readonly Counter<long> _handshakes;
    private readonly Counter<long> _storageOperations;
    private readonly Counter<long> _revocationLists;
    private readonly Counter<long> _renewalInfos;
    private readonly Counter<long> _onDemandAsks;
    private readonly Histogram<double> _onDemandWaits;

    public AcmeHttpsMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        Meter = meters.Create(AcmeHttpsTelemetry.MeterName, typeof(AcmeHttpsMetrics).Assembly.GetName().Version?.ToString(3));
        _transitions = Meter.CreateCounter<long>(
            Instruments.Transitions, "{transition}", "State changes of managed certificates, by the state that was entered.");
        _orders = Meter.CreateCounter<long>(Instruments.Orders, "{order}", "Orders that ended, by CA and outcome.");
        _orderDuration = Meter.CreateHistogram(
            Instruments.OrderDuration, Instruments.Seconds, "Duration of orders, from the lease to the stored result.", null, OrderBuckets);
        _stepDuration = Meter.CreateHistogram(
            Instruments.StepDuration, Instruments.Seconds, "Duration of the steps of orders.", null, StepBuckets);
        _challengeRequests = Meter.CreateCounter<long>(
            Instruments.ChallengeRequests, "{request}", "Requests for responses to challenges, by type and outcome.");
        _handshakes = Meter.CreateCounter<long>(
            Instruments.Handshakes, "{handshake}", "TLS handshakes, by the source of the certificate.");
        _storageOperations = Meter.CreateCounter<long>(
            Instruments.StorageOperations, "{operation}", "Calls to the store, by operation and outcome.");
        _revocationLists = Meter.CreateCounter<long>(
            Instruments.RevocationListFetches, "{fetch}", "Requests for revocation lists, by CA and outcome.");
        _renewalInfos = Meter.CreateCounter<long>(
            Instruments.RenewalInfoFetches, "{fetch}", "Requests for renewal information (RFC 9773), by CA and outcome.");
        _onDemandAsks = Meter.CreateCounter<long>(
            Instruments.OnDemandAsks, "{ask}", "Decisions about names on demand, by outcome.");
        _onDemandWaits = Meter.CreateHistogram(
            Instruments.OnDemandWaits, Instruments.Seconds, "Time that connections waited for a certificate on demand, by outcome.", null,
            StepBuckets);
    }

    /// <summary>The meter, for instruments that ask for values when they are read.</summary>
    public Meter Meter { get; }

    /// <summary>A managed certificate entered a state.</summary>
    public void Entered(string state) => _transitions.Add(1, Tag(InstrumentTags.CertificateState, Word(state)));

    /// <summary>An order to a CA ended.</summary>
    /// <param name="authority">The host of the CA.</param>
    /// <param name="outcome">The outcome.</param>
    /// <param name="cause">Whose failure it was; <see langword="null"/> if it did not fail.</param>
    /// <param name="started">When it began, by <see cref="Timestamp"/>.</param>
    public void OrderEnded(string authority, string outcome, string? cause, long started)
    {
        var elapsed = _time.GetElapsedTime(started).TotalSeconds;
        var (host, result) = (Tag(InstrumentTags.Authority, authority), Tag(InstrumentTags.Outcome, outcome));
        if (cause is null)
        {
            _orders.Add(1, host, result);
        }
        else
        {
            _orders.Add(1, host, result, Tag(InstrumentTags.FailureCause, Word(cause)));
        }

        _orderDuration.Record(elapsed, host, result);
    }

    /// <summary>Whether somebody listens to the durations of steps.</summary>
    public bool MeasuresSteps => _stepDuration.Enabled;

    /// <summary>Starts to measure a step; <see langword="null"/> if nobody listens.</summary>
    public StepTiming? StartStep(string step) => _stepDuration.Enabled ? new StepTiming(this, step) : null;

    /// <summary>A CA, or somebody who pretends to be one, asked for the response to a challenge.</summary>
    public void ChallengeRequested(string type, string outcome)
        => _challengeRequests.Add(1, Tag(InstrumentTags.ChallengeType, type), Tag(InstrumentTags.Outcome, outcome));

    /// <summary>A handshake was given a certificate, or refused.</summary>
    public void Handshake(HandshakeSource source)
    {
        if (_handshakes.Enabled)
        {
            _handshakes.Add(1, Sources[(int)source]);
        }
    }

    /// <summary>The store responded, or did not.</summary>
    public void StorageCalled(string operation, string outcome)
        => _storageOperations.Add(1, Tag(InstrumentTags.StorageOperation, operation), Tag(InstrumentTags.Outcome, outcome));

    /// <summary>A revocation list was requested.</summary>
    public void RevocationListFetched(Uri directoryUrl, string outcome) => Fetched(_revocationLists, directoryUrl, outcome);

    /// <summary>Renewal information was requested.</summary>
    public void RenewalInfoFetched(Uri directoryUrl, string outcome) => Fetched(_renewalInfos, directoryUrl, outcome);

    /// <summary>It was decided about a name on demand, or about a connection for one.</summary>
    public void OnDemandAsked(string outcome) => _onDemandAsks.Add(1, Tag(InstrumentTags.Outcome, outcome));

    /// <summary>A connection waited for a certificate on demand.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="started">When it began, by <see cref="Timestamp"/>.</param>
    public void OnDemandWaited(string outcome, long started)
    {
        if (_onDemandWaits.Enabled)
        {
            _onDemandWaits.Record(_time.GetElapsedTime(started).TotalSeconds, Tag(InstrumentTags.Outcome, outcome));
        }
    }

    /// <summary>The current time for <see cref="OrderEnded"/>.</summary>
    public long Timestamp() => _time.GetTimestamp();

    /// <summary>Returns a name of an enumeration as the value of a tag: <c>NewOrders</c> is <c>new_orders</c>.</summary>
    public static string Word(string name)
        => string.Concat(name.Select((c, i) => $"{(i > 0 && char.IsAsciiLetterUpper(c) ? "_" : "")}{char.ToLowerInvariant(c)}"));

    public static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    // The host of the list is not used: a CA could put another one into each certificate.
    private static void Fetched(Counter<long> counter, Uri directoryUrl, string outcome)
    {
        if (counter.Enabled)
        {
            counter.Add(1, Tag(InstrumentTags.Authority, directoryUrl.IdnHost), Tag(InstrumentTags.Outcome, outcome));
        }
    }

    /// <summary>Measures a step of an order once.</summary>
    internal sealed class StepTiming(AcmeHttpsMetrics metrics, string step)
    {
        private readonly long _started = metrics._time.GetTimestamp();
        private bool _ended;

        public void End(bool succeeded)
        {
            if (!_ended)
            {
                _ended = true;
                metrics._stepDuration.Record(
                    metrics._time.GetElapsedTime(_started).TotalSeconds,
                    Tag(InstrumentTags.Step, step),
                    Tag(InstrumentTags.Outcome, succeeded ? Outcomes.Succeeded : Outcomes.Failed));
            }
        }
    }
}

/// <summary>The values of <see cref="InstrumentTags.Outcome"/>.</summary>
internal static class Outcomes
{
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
    public const string Canceled = "canceled";

    // Orders.
    public const string Obtained = "obtained";
    public const string Stopped = "stopped";

    // Requests for the response to a challenge.
    public const string Answered = "answered";
    public const string Unknown = "unknown";
    public const string BrokenOff = "broken_off";

    // The store, revocation lists, renewal information.
    public const string Unavailable = "unavailable";
    public const string LeaseLost = "lease_lost";
    public const string NotModified = "not_modified";
    public const string NotOffered = "not_offered";
}

/// <summary>The values of <see cref="InstrumentTags.Outcome"/> for names on demand.</summary>
internal static class OnDemandOutcomes
{
    // Decisions. The permission's own are "allowed", "denied" and "unknown".
    public const string KnownDenied = "known_denied";
    public const string Limited = "limited";
    public const string Full = "full";

    // Waits.
    public const string Served = "served";
    public const string NotServed = "not_served";
    public const string Refused = "refused";
    public const string GaveUp = "gave_up";
    public const string Left = "left";
}

/// <summary>Where the certificate of a handshake came from.</summary>
internal enum HandshakeSource
{
    /// <summary>A certificate of KestrelAcme.</summary>
    Managed,

    /// <summary>The self-signed certificate that stands for a managed one that does not exist yet.</summary>
    Placeholder,

    /// <summary>The app's default certificate, for a name that is not managed.</summary>
    Fallback,

    /// <summary>A certificate or a selector that the app set for the endpoint or the name.</summary>
    App,

    /// <summary>A tls-alpn-01 validation.</summary>
    Challenge,

    /// <summary>There was none.</summary>
    Refused,
}
