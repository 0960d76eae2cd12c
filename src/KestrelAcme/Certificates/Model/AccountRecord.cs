namespace KestrelAcme.Certificates.Model;

/// <summary>A stored account: its key and its metadata.</summary>
/// <param name="PrivateKeyPem">The key of the account, in PEM.</param>
/// <param name="Metadata">The metadata.</param>
/// <param name="NextPrivateKeyPem">
/// The new key during a rollover, from before the request until after the response. If the process ends in between, either key may be
/// right.
/// </param>
internal sealed record AccountRecord(string PrivateKeyPem, AccountMetadata Metadata, string? NextPrivateKeyPem = null)
{
    /// <summary>Whether only the keys could be read, so that the CA must be asked for their account. Not stored.</summary>
    public bool IsRepaired { get; init; }

    public override string ToString() => $"account {Metadata.AccountUrl?.ToString() ?? "(not created)"} at {Metadata.DirectoryUrl}";
}

/// <summary>The metadata that is stored with the key of an account.</summary>
internal sealed record AccountMetadata
{
    public int Version { get; init; } = 1;

    public required Uri DirectoryUrl { get; init; }

    /// <summary>The account URL; <see langword="null"/> if the key is stored but the account is not created yet.</summary>
    public Uri? AccountUrl { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The times of recent registrations that replaced an account that the CA no longer knew.</summary>
    public DateTimeOffset[]? RegisteredAnew { get; init; }

    /// <summary>The last time that the key was replaced because the CA refused it.</summary>
    public DateTimeOffset? KeyReplacedAt { get; init; }

    /// <summary>
    /// Proves that the instance that replaced the key knew the previous one: a MAC of the new key under the previous key;
    /// <see langword="null"/> for a key that replaced none.
    /// </summary>
    public string? Voucher { get; init; }

    /// <summary>The contact that the CA has.</summary>
    public string? EmailAddress { get; init; }
}

/// <summary>
/// A CA refuses the account or a profile, whatever the names are: one failure for all of them. Stored, so that neither a crash loop nor ten
/// instances find out again and again.
/// </summary>
internal sealed record AccountBlock
{
    /// <summary>
    /// The refused profile; empty for orders without a profile; <see langword="null"/> if the account is refused as a whole.
    /// </summary>
    public string? Profile { get; init; }

    /// <summary>The type of the problem (RFC 8555 section 6.7).</summary>
    public string? ProblemType { get; init; }

    /// <summary>The CA's words, and the fix.</summary>
    public required string Message { get; init; }

    /// <summary>The time of the last refusal.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The time of the next attempt.</summary>
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>The number of refusals in a row.</summary>
    public int Refusals { get; init; } = 1;

    /// <summary>Whether an order was refused. Then only another order can show that the refusal is over.</summary>
    public bool AtOrder { get; init; }

    /// <summary>A fingerprint of the CA's settings. With other settings, the block does not count.</summary>
    public required string Settings { get; init; }

    /// <summary>Returns the failure that waiting certificates show.</summary>
    public FailureRecord ToFailure(int count) => new()
    {
        Count = count,
        ProblemType = ProblemType,
        Message = Message,
        At = At,
        NextAttempt = NextAttempt,
        Cause = FailureCause.Operator,
    };
}

/// <summary>The time until which a CA accepts no orders of the account. Stored.</summary>
internal sealed record AccountHold(DateTimeOffset Until)
{
    /// <summary>Whether the hold is a guess, which holds back orders for new names only.</summary>
    public bool NewNamesOnly { get; init; }

    public bool Holds(DateTimeOffset now) => ClockGuard.IsPlausibleWait(Until, now);
}

/// <summary>Decides when a refused account is tried again, and how often an account may be registered again. Pure.</summary>
internal static class AccountBlockPolicy
{
    /// <summary>The longest pause. Nobody tells KestrelAcme when an operator fixes the problem at the CA.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(3);

    /// <summary>How long the attempt may take before another one may try.</summary>
    public static TimeSpan TimeOfAttempt { get; } = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(5);
    private const int MostRegistrations = 3;
    private static readonly TimeSpan RegistrationWindow = TimeSpan.FromHours(3);
    private static readonly TimeSpan KeyWindow = TimeSpan.FromDays(1);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <summary>Returns the pause after a number of refusals in a row: the first pause, doubled each time.</summary>
    public static TimeSpan Pause(int refusals, TimeSpan first)
    {
        var pause = first * Math.Pow(2, Math.Clamp(refusals - 1, 0, 20));
        return pause < LongestPause ? pause : first < LongestPause ? LongestPause : first;
    }

    /// <summary>
    /// Returns the time of the next attempt after a restart, a reload, or a call of the application. It is soon, but after many refusals
    /// not right after the last one, because a crash loop would ask without end.
    /// </summary>
    public static DateTimeOffset Soon(
        DateTimeOffset refusedAt, DateTimeOffset nextAttempt, int refusals, TimeSpan first, DateTimeOffset now)
    {
        var pause = ShortestPause * Math.Clamp(refusals, 1, 1000);

        // A time from a clock that was far ahead must not last.
        var soon = refusedAt > now + LargestSkew ? now : refusedAt + (pause < first ? pause : first);
        return soon < nextAttempt ? soon : nextAttempt;
    }

    /// <summary>
    /// Whether another account may be registered. Public CAs limit accounts to ten in three hours, and registering lost accounts again and
    /// again does not help.
    /// </summary>
    public static bool MayRegister(IEnumerable<DateTimeOffset> registrations, DateTimeOffset now)
        => registrations.Count(r => r > now - RegistrationWindow && r <= now + LargestSkew) < MostRegistrations;

    /// <summary>Whether the account may get a new key, which is allowed once a day.</summary>
    public static bool MayReplaceKey(DateTimeOffset? replacedAt, DateTimeOffset now)
        => replacedAt is not { } at || at <= now - KeyWindow || at > now + LargestSkew;

    /// <summary>Returns the registrations that still count, with one more.</summary>
    public static DateTimeOffset[] Add(IEnumerable<DateTimeOffset> registrations, DateTimeOffset now)
        => [.. registrations.Where(r => r > now - RegistrationWindow).TakeLast(MostRegistrations), now];
}
