using System.Collections.Concurrent;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace KestrelAcme.Testing;

/// <summary>
/// Cancels the token of a test that has been running for <see cref="Limit"/>, so that one that waits forever fails under its own name and
/// the others are still counted. Tests marked with <see cref="LongAttribute"/> limit themselves. Each test project has it
/// (test/Directory.Build.targets).
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestTimeLimitAttribute : BeforeAfterTestAttribute
{
    /// <summary>Far longer than any of these tests takes on a busy machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, ITimer> _timers = new();

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        if (test.Traits.TryGetValue(LongAttribute.Name, out var durations) && durations.Contains(LongAttribute.Value))
        {
            return;
        }

        _timers[test.UniqueID] = Start(TestContext.Current, TimeProvider.System);
    }

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        if (_timers.TryRemove(test.UniqueID, out var timer))
        {
            timer.Dispose();
        }
    }

    /// <summary>Starts the timer that cancels a test.</summary>
    public static ITimer Start(ITestContext test, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(test);
        ArgumentNullException.ThrowIfNull(time);
        return time.CreateTimer(_ => Cancel(test), null, Limit, Timeout.InfiniteTimeSpan);
    }

    private static void Cancel(ITestContext test)
    {
        test.AddWarning($"Canceled: it had been running for {Limit.TotalMinutes:0} minutes.");
        test.CancelCurrentTest();
    }
}
