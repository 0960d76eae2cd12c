using System.Diagnostics;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// What tracing sees of orders, in the activity source <c>KestrelAcme</c>: one activity for each attempt, and below it one for each step. A
/// step that ends without an error was done. Nothing is allocated if nobody listens.
/// </summary>
internal static class OrderActivities
{
    public const string SourceName = "KestrelAcme";

    /// <summary>One attempt at one certificate.</summary>
    public const string Order = "acme.order";

    // The steps, in their order. A crash after any of them loses nothing.
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

    /// <summary>
    /// Starts the activity of an attempt. It has no parent: the scheduler planned it, whatever code has started the host.
    /// </summary>
    public static OrderActivity StartOrder(string certificateId, Uri directoryUrl)
    {
        if (!Source.HasListeners())
        {
            return default;
        }

        Activity.Current = null;
        var activity = Source.StartActivity(Order);
        activity?.SetTag("acme.certificate.id", certificateId);
        activity?.SetTag("acme.directory.url", directoryUrl.OriginalString);
        return new OrderActivity(activity);
    }

    /// <summary>Starts the activity of a step, below the attempt that is under way; outside of one, there is none.</summary>
    public static OrderStepActivity StartStep(string name)
        => new(ReferenceEquals(Activity.Current?.Source, Source) ? Source.StartActivity(name) : null);

    /// <summary>Starts the activity of a step with one challenge.</summary>
    public static OrderStepActivity StartStep(string name, string challengeType, string identifier)
    {
        var step = StartStep(name);
        step.SetChallenge(challengeType, identifier);
        return step;
    }
}

/// <summary>The activity of an attempt; disposing it ends it.</summary>
internal readonly struct OrderActivity(Activity? activity) : IDisposable
{
    /// <summary>
    /// Says how the attempt ended: <c>obtained</c>, <c>not_due</c>, <c>elsewhere</c>, <c>held_back</c>, or <c>stopped</c>.
    /// </summary>
    public void SetOutcome(string outcome) => activity?.SetTag("acme.order.outcome", outcome);

    /// <summary>Says that the attempt failed.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="problemType">The CA's own type of problem, if it gave one.</param>
    /// <param name="message">The failure as the operator sees it.</param>
    public void SetFailed(Exception exception, string? problemType, string message)
    {
        activity?.SetTag("acme.order.outcome", "failed");
        activity?.SetTag("error.type", problemType ?? exception.GetType().Name);
        activity?.SetStatus(ActivityStatusCode.Error, message);
    }

    public void Dispose() => activity?.Dispose();
}

/// <summary>The activity of a step. If it is disposed of before <see cref="Done"/>, the step has failed.</summary>
internal readonly struct OrderStepActivity(Activity? activity) : IDisposable
{
    public void SetChallenge(string type, string identifier)
    {
        activity?.SetTag("acme.challenge.type", type);
        activity?.SetTag("acme.identifier", identifier);
    }

    public void Done() => activity?.Stop();

    public void Dispose()
    {
        if (activity is { IsStopped: false })
        {
            activity.SetStatus(ActivityStatusCode.Error);
            activity.Stop();
        }
    }
}
