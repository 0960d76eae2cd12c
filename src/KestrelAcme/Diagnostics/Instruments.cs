namespace KestrelAcme.Diagnostics;

/// <summary>
/// The names and units of all instruments, by the conventions of OpenTelemetry. Operators build alerts on them: a name that was published
/// does not change. <c>docs/metrics.md</c> lists them.
/// </summary>
internal static class Instruments
{
    // Gauges about certificates.
    public const string Expiry = "kestrelacme.certificate.expiry";
    public const string Renewal = "kestrelacme.certificate.renewal";
    public const string EarliestExpiry = "kestrelacme.certificate.earliest_expiry";
    public const string Certificates = "kestrelacme.certificates";
    public const string Problems = "kestrelacme.certificate.problems";
    public const string QueueLength = "kestrelacme.queue.length";

    // What happened.
    public const string Transitions = "kestrelacme.certificate.transitions";
    public const string Orders = "kestrelacme.orders";
    public const string OrderDuration = "kestrelacme.order.duration";
    public const string StepDuration = "kestrelacme.order.step.duration";
    public const string ChallengeRequests = "kestrelacme.challenge.requests";
    public const string Handshakes = "kestrelacme.handshakes";
    public const string StorageOperations = "kestrelacme.storage.operations";
    public const string RevocationListFetches = "kestrelacme.revocation_list.fetches";
    public const string RenewalInfoFetches = "kestrelacme.renewal_info.fetches";
    public const string OnDemandAsks = "kestrelacme.on_demand.asks";
    public const string OnDemandWaits = "kestrelacme.on_demand.wait.duration";

    public const string Seconds = "s";
}

/// <summary>
/// The keys of the tags, which activities use too. Their values are bounded: a client or a CA must not be able to add series.
/// </summary>
internal static class InstrumentTags
{
    public const string CertificateId = "acme.certificate.id";
    public const string CertificateState = "acme.certificate.state";
    public const string CertificateProblem = "acme.certificate.problem";
    public const string CertificateSource = "acme.certificate.source";
    public const string Lane = "acme.lane";
    public const string Authority = "server.address";
    public const string Outcome = "acme.outcome";
    public const string FailureCause = "acme.failure.cause";
    public const string Step = "acme.order.step";
    public const string ChallengeType = "acme.challenge.type";
    public const string StorageOperation = "acme.storage.operation";
}

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
