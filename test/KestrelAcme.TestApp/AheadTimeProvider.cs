namespace KestrelAcme.TestApp;

/// <summary>The system's time, with a wall clock that is ahead of it.</summary>
internal sealed class AheadTimeProvider(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
