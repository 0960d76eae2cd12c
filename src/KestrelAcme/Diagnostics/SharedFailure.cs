using System.Runtime.ExceptionServices;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The last failure of something that is asked for one caller at a time. Callers that were waiting for their turn when it failed share the
/// failure: if it took a long time-out to find out, they do not pay for it again, one after another. Use it under the lock that gives the
/// turns.
/// </summary>
internal sealed class SharedFailure(TimeProvider time)
{
    private ExceptionDispatchInfo? _failure;
    private long _failedAt;

    /// <summary>Notes a failure.</summary>
    public void Note(Exception failure)
    {
        if (!ReferenceEquals(failure, _failure?.SourceException))
        {
            (_failure, _failedAt) = (ExceptionDispatchInfo.Capture(failure), time.GetTimestamp());
        }
    }

    /// <summary>Throws the failure if it came after a caller had begun to wait.</summary>
    /// <param name="waitingSince">The timestamp at which the caller began to wait.</param>
    public void ThrowIfAfter(long waitingSince)
    {
        if (_failedAt > waitingSince)
        {
            _failure?.Throw();
        }
    }
}
