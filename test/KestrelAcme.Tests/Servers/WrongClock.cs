namespace KestrelAcme.Tests.Servers;

/// <summary>The machine's clock, set wrong; its timers and its monotonic clock are right.</summary>
internal sealed class WrongClock : TimeProvider
{
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
}
