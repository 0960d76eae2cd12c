using KestrelAcme.Certificates.Model;

namespace KestrelAcme.TestApp;

/// <summary>The engine's times, shortened so that tests need not wait for a minute after each failure.</summary>
internal static class QuickIssuance
{
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(300);

    public static IssuanceSettings Settings { get; } = new()
    {
        Retries = new RetrySchedule([Wait], Wait, Wait, Wait, Wait, JitterShare: 0),
        LeasePoll = TimeSpan.FromMilliseconds(100),
        SteadyAfter = Wait,
        RenewalInfoTurn = TimeSpan.Zero,
        OrderTurn = TimeSpan.Zero,
        RepostAfter = Wait,
        StoreAnswer = TimeSpan.Zero,
        FirstClient = TimeSpan.Zero,
    };
}
