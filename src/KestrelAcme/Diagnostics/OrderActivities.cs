using System.Diagnostics;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// Traces orders in the activity source <c>KestrelAcme</c>: an activity for each attempt, with a child activity for each step. A step
/// without an error status is complete. Measures both. Without a listener, nothing is allocated.
/// </summary>
internal static class OrderActivities
{
    public const string SourceName = AcmeHttpsTelemetry.ActivitySourceName;

    /// <summary>An attempt to order a certificate.</summary>
    public const string Order = "acme.order";

    // The steps, in order. A crash after any of them loses nothing.
    public const string AcquireLease = "acme.order.acquire_lease";
    public const string ReadStore = "acme.order.read_store";
    public const string OpenAccount = "acme.account.open";
    public const string StoreIntent = "acme.order.store_intent";
    public const string PlaceOrder = "acme.order.place";
    public const string StoreOrderUrl = "acme.order.store_url";
    public const string PrepareChallenge = "acme.challenge.prepare";
    public const string AwaitVisibility = "acme.challenge.wait_until_visible";
    public const string SubmitChallenge = "acme.challenge.submit";
    public const string PollAuthorization = "acme.authorization.poll";
    public const string CleanUpChallenges = "acme.challenge.clean_up";
    public const string PollOrder = "acme.order.poll";
    public const string FinalizeOrder = "acme.order.finalize";
    public const string StoreCertificateUrl = "acme.certificate.store_url";
    public const string DownloadCertificate = "acme.certificate.download";
    public const string StoreCertificate = "acme.certificate.store";
    public const string PublishCertificate = "acme.certificate.publish";
    public const string StoreState = "acme.order.store_state";

    private static readonly ActivitySource Source = new(SourceName, typeof(OrderActivities).Assembly.GetName().Version?.ToString(3));

    // Measures the steps of the current attempt, which is found as Activity.Current is.
    private static readonly AsyncLocal<AcmeHttpsMetrics?> Measuring = new();

    /// <summary>
    /// Starts the activity of an attempt. It has no parent, since the scheduler starts it, not the code that started the host.
    /// </summary>
    public static OrderActivity StartOrder(string certificateId, Uri directoryUrl, AcmeHttpsMetrics? metrics = null)
    {
        if (metrics?.MeasuresSteps == true)
        {
            Measuring.Value = metrics;
        }

        if (!Source.HasListeners())
        {
            return new OrderActivity(null, directoryUrl, metrics);
        }

        Activity.Current = null;
        var activity = Source.StartActivity(Order);
        activity?.SetTag(InstrumentTags.CertificateId, certificateId);
        activity?.SetTag("acme.directory.url", directoryUrl.OriginalString);
        return new OrderActivity(activity, directoryUrl, metrics);
    }

    /// <summary>Starts the activity of a step of the current attempt. Without an attempt, there is no activity.</summary>
    public static OrderStepActivity StartStep(string name)
        => new(ReferenceEquals(Activity.Current?.Source, Source) ? Source.StartActivity(name) : null, Measuring.Value?.StartStep(name));

    /// <summary>Starts the activity of a step for a challenge.</summary>
    public static OrderStepActivity StartStep(string name, string challengeType, string identifier)
    {
        var step = StartStep(name);
        step.SetChallenge(challengeType, identifier);
        return step;
    }
}

/// <summary>The activity of an attempt, which ends when it is disposed.</summary>
internal readonly struct OrderActivity(Activity? activity, Uri directoryUrl, AcmeHttpsMetrics? metrics) : IDisposable
{
    private readonly long _started = metrics?.Timestamp() ?? 0;

    /// <summary>
    /// Sets the outcome of an attempt that placed no order: <c>not_due</c>, <c>elsewhere</c>, or <c>held_back</c>.
    /// </summary>
    public void SetOutcome(string outcome) => activity?.SetTag("acme.order.outcome", outcome);

    /// <summary>Sets the outcome of an order: <c>obtained</c>, or <c>stopped</c>.</summary>
    public void SetEnded(string outcome)
    {
        SetOutcome(outcome);
        metrics?.OrderEnded(directoryUrl.IdnHost, outcome, cause: null, _started);
    }

    /// <summary>Sets the outcome <c>failed</c>.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="cause">Whose failure it was.</param>
    /// <param name="problemType">The type of the ACME problem, if the CA returned one.</param>
    /// <param name="message">The failure as the operator sees it.</param>
    public void SetFailed(Exception exception, string cause, string? problemType, string message)
    {
        activity?.SetTag("acme.order.outcome", Outcomes.Failed);
        activity?.SetTag("error.type", problemType ?? exception.GetType().Name);
        activity?.SetStatus(ActivityStatusCode.Error, message);
        metrics?.OrderEnded(directoryUrl.IdnHost, Outcomes.Failed, cause, _started);
    }

    public void Dispose() => activity?.Dispose();
}

/// <summary>The activity of a step. If it is disposed before <see cref="Done"/> was called, the step failed.</summary>
internal readonly struct OrderStepActivity(Activity? activity, AcmeHttpsMetrics.StepTiming? timing) : IDisposable
{
    public void SetChallenge(string type, string identifier)
    {
        activity?.SetTag(InstrumentTags.ChallengeType, type);
        activity?.SetTag("acme.identifier", identifier);
    }

    public void Done()
    {
        timing?.End(succeeded: true);
        activity?.Stop();
    }

    public void Dispose()
    {
        timing?.End(succeeded: false);
        if (activity is { IsStopped: false })
        {
            activity.SetStatus(ActivityStatusCode.Error);
            activity.Stop();
        }
    }
}
