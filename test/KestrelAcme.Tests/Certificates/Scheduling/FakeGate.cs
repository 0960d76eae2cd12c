using System.Collections.Concurrent;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>A gate with one limit for all lanes, and a time before which a lane does not start.</summary>
internal sealed class FakeGate : IWorkGate
{
    public int Limit { get; set; } = 4;

    public ConcurrentDictionary<WorkLane, DateTimeOffset> NotBefore { get; } = new();

    public int Places(WorkLane lane) => Limit;

    public DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now)
        => NotBefore.TryGetValue(lane, out var time) && time > now ? time : null;
}
