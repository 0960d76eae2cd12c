using KestrelAcme.Protocol;

namespace KestrelAcme.Certificates.Model;

/// <summary>The times of the engine that no operator sets. Tests shorten them.</summary>
internal sealed record IssuanceSettings
{
    public RetrySchedule Retries { get; init; } = RetrySchedule.Default;

    /// <summary>How often one request is repeated at once, before the attempt counts as failed.</summary>
    public AcmeRetryOptions RequestRetries { get; init; } = new() { IntervalAfterFailures = TimeSpan.FromSeconds(1) };

    /// <summary>How long one request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long, and how often, the authority is asked how far it has got.</summary>
    public AcmePollingOptions Polling { get; init; } = new();

    /// <summary>The pauses before a certificate is downloaded again in the same attempt, if what was downloaded cannot be used.</summary>
    public IReadOnlyList<TimeSpan> DownloadPauses { get; init; } = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)];

    /// <summary>How long the lease of an order lasts without being renewed.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How soon we look again when another instance has the lease.</summary>
    public TimeSpan LeasePoll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How soon we look again when the store cannot be asked.</summary>
    public TimeSpan StoreRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the store may take for one value or lease before it counts as unavailable.</summary>
    public TimeSpan StoreTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest time for one order, from the intent to the download.</summary>
    public TimeSpan OrderTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a process has to live before it tries again what the end of an earlier one cut off.</summary>
    public TimeSpan SteadyAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the verdict on a challenge is waited for that an earlier process posted, before it is posted again.</summary>
    public TimeSpan RepostAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a posted challenge is still answered for while the host stops.</summary>
    public TimeSpan StoppingGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many new sets of names are ordered at once before they are paced, at a public authority.</summary>
    public int NewSetBurst { get; init; } = 50;

    /// <summary>The pace of new sets of names after that: with the burst at most 290 in three hours, where Let's Encrypt allows 300.</summary>
    public TimeSpan NewSetInterval { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The shortest time between two renewals at a public authority.</summary>
    public TimeSpan RenewalInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How many questions for renewal information are under way at once.</summary>
    public int MaxMaintenance { get; init; } = 4;

    /// <summary>The longest time for which the scheduler does not look at the wall clock.</summary>
    public TimeSpan LongestSleep { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How soon storing is tried again for a certificate that could not be stored.</summary>
    public TimeSpan SaveAgain { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How soon DNS is asked for a record that a person has to create; the pause doubles up to <see cref="LongestRecordLook"/>.</summary>
    public TimeSpan RecordLook { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest pause between two such questions.</summary>
    public TimeSpan LongestRecordLook { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long reading the store may hold up the start, or the first order where that takes longer.</summary>
    public TimeSpan LoadTime { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the start waits for the rest of the certificates where there are more than a few hundred; a connection waits for its own.</summary>
    public TimeSpan LoadAhead { get; init; } = TimeSpan.FromMilliseconds(25);
}
