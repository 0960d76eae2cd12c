using System.Runtime.ExceptionServices;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The last failure of an operation that runs for one caller at a time. Callers that were waiting when it failed share the failure, so that
/// they do not each wait for the same long time-out. Call it only while holding the lock of the operation.
/// </summary>
internal sealed class SharedFailure(TimeProvider time)
{
    private ExceptionDispatchInfo? _failure;
    private long _failedAt;

    /// <summary>Records a failure.</summary>
    public void Note(Exception failure)
    {
        if (!ReferenceEquals(failure, _failure?.SourceException))
        {
            (_failure, _failedAt) = (ExceptionDispatchInfo.Capture(failure), time.GetTimestamp());
        }
    }

    /// <summary>Throws the failure if it happened after a caller began to wait.</summary>
    /// <param name="waitingSince">The timestamp when the caller began to wait.</param>
    public void ThrowIfAfter(long waitingSince)
    {
        if (_failedAt > waitingSince)
        {
            _failure?.Throw();
        }
    }
}
