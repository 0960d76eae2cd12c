using KestrelAcme.Protocol;

namespace KestrelAcme.Certificates.Model;

/// <summary>The times and limits of the engine that operators do not set. Tests shorten them.</summary>
internal sealed record IssuanceSettings
{
    public RetrySchedule Retries { get; init; } = RetrySchedule.Default;

    /// <summary>How often a request is repeated at once before the attempt counts as failed.</summary>
    public AcmeRetryOptions RequestRetries { get; init; } = new() { IntervalAfterFailures = TimeSpan.FromSeconds(1) };

    /// <summary>The time limit of a request.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long and how often the CA is polled.</summary>
    public AcmePollingOptions Polling { get; init; } = new();

    /// <summary>The pauses before a certificate is downloaded again in the same attempt, if the downloaded one cannot be used.</summary>
    public IReadOnlyList<TimeSpan> DownloadPauses { get; init; } = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)];

    /// <summary>The duration of the lease of an order, unless it is renewed.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The interval of attempts to take the lease while another instance has it.</summary>
    public TimeSpan LeasePoll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The pause before another attempt if the store is unavailable.</summary>
    public TimeSpan StoreRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The time limit for one value or lease, after which the store counts as unavailable.</summary>
    public TimeSpan StoreTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The time limit of an order, from the intent to the download.</summary>
    public TimeSpan OrderTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a process has to run before it tries again what the end of an earlier process cut off.</summary>
    public TimeSpan SteadyAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long to wait for the result of a challenge that an earlier process submitted, before it is submitted again.</summary>
    public TimeSpan RepostAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a submitted challenge is still answered while the host stops.</summary>
    public TimeSpan StoppingGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many new sets of names are ordered from a public CA before they are rate-limited.</summary>
    public int NewSetBurst { get; init; } = 50;

    /// <summary>
    /// The interval of new sets of names after that. With the burst, at most 290 in three hours; Let's Encrypt allows 300.
    /// </summary>
    public TimeSpan NewSetInterval { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The minimum interval between two renewals at a public CA.</summary>
    public TimeSpan RenewalInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often an instance polls for renewal information, so that another one's response is there first; zero to poll at once.
    /// </summary>
    public TimeSpan RenewalInfoTurn { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long an instance of a fleet lets the one before it renew a certificate that is due, before it looks whether that one did; zero
    /// to look at once.
    /// </summary>
    public TimeSpan OrderTurn { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How many requests for renewal information run at once.</summary>
    public int MaxMaintenance { get; init; } = 4;

    /// <summary>How long the scheduler may sleep before it checks the wall clock again.</summary>
    public TimeSpan LongestSleep { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The pause before a certificate that could not be stored is stored again.</summary>
    public TimeSpan SaveAgain { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The pause before folders of other clients are read again that could not be read.</summary>
    public TimeSpan ImportAgain { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The pause before DNS is checked for a record that an operator has to create. It doubles up to <see cref="LongestRecordLook"/>.
    /// </summary>
    public TimeSpan RecordLook { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest pause between two of these checks.</summary>
    public TimeSpan LongestRecordLook { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long the first order waits, on a new store that other machines may use, for instances that know what the store held before it
    /// was emptied.
    /// </summary>
    public TimeSpan StoreAnswer { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an instance fills an emptied store, and how long an order waits for that.</summary>
    public TimeSpan StoreFilling { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long reading the store may delay startup, or the first order if it takes longer.</summary>
    public TimeSpan LoadTime { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long startup waits for the rest of the certificates if there are more than a few hundred. A connection waits for its own.
    /// </summary>
    public TimeSpan LoadAhead { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// How long the work after a start waits for the first client if no certificate is missing, so that it does not compete for the
    /// processor; zero to begin at once.
    /// </summary>
    public TimeSpan FirstClient { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long it then leaves the processor to that client.</summary>
    public TimeSpan FirstResponse { get; init; } = TimeSpan.FromMilliseconds(200);
}

/// <summary>Returns a random number from 0 (inclusive) to 1 (exclusive). Tests use their own.</summary>
internal delegate double JitterSource();

/// <summary>The waits after failures. The defaults are what Let's Encrypt recommends to its clients.</summary>
/// <param name="Name">The waits after the first, second, ... failure of the name; the last one repeats.</param>
/// <param name="Operator">The wait between attempts if an operator must fix the cause.</param>
/// <param name="AuthorityFirst">The wait after the first failure of the CA; doubled up to <paramref name="AuthorityLongest"/>.</param>
/// <param name="AuthorityLongest">The longest wait before a failing CA is tried again.</param>
/// <param name="Local">The wait after the first failure of this machine; doubled up to <see cref="LocalLongest"/>.</param>
/// <param name="JitterShare">The share of a wait, 0 to 1, that is added at random.</param>
internal sealed record RetrySchedule(
    IReadOnlyList<TimeSpan> Name,
    TimeSpan Operator,
    TimeSpan AuthorityFirst,
    TimeSpan AuthorityLongest,
    TimeSpan Local,
    double JitterShare)
{
    /// <summary>The longest wait after a failure of this machine, or of a CA that fails for this certificate alone.</summary>
    public TimeSpan LocalLongest { get; init; } = Local * 30;

    public static RetrySchedule Default { get; } = new(
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(100), TimeSpan.FromDays(1)],
        TimeSpan.FromDays(1),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(1),
        0.1);
}

/// <summary>How often an order failed in a row through the CA's fault, and when validations of its names failed.</summary>
/// <param name="OfTheAuthority">The failures of the CA, for all certificates.</param>
/// <param name="OfThisCertificate">The failures of this certificate alone. Others may succeed in between.</param>
/// <param name="FailedValidations">The times of failed validations within the last hour, including the current one.</param>
internal readonly record struct FailureRun(
    int OfTheAuthority, int OfThisCertificate = 0, IReadOnlyList<DateTimeOffset>? FailedValidations = null);
