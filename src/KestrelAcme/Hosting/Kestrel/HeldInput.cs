using System.Buffers;
using System.IO.Pipelines;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// The transport of a connection that waits before its handshake. It keeps what the client has sent in an array of just that size, and
/// says at once when more arrives, so that nobody can fill Kestrel's buffers meanwhile. Whoever reads next gets all of it.
/// </summary>
/// <remarks>
/// The bytes are taken out of the pipe, because a pipe cannot both announce new bytes and give the old ones again. Not safe for concurrent
/// use, like every reader of a pipe.
/// </remarks>
internal sealed class HeldInput : PipeReader, IDuplexPipe
{
    private readonly IDuplexPipe _transport;

    // What was taken out of the pipe and is not consumed yet, and whether the reader wants more than that.
    private ReadOnlySequence<byte> _held;
    private bool _isExamined;
    private bool _isCompleted;
    private bool _gaveHeld;

    // A read of the pipe that has begun. There is never more than one.
    private Task<ReadResult>? _reading;

    public HeldInput(IDuplexPipe transport)
    {
        _transport = transport;
        if (transport.Input.TryRead(out var result))
        {
            Keep(result);
        }
    }

    /// <summary>The number of bytes that are kept.</summary>
    public long Length => _held.Length;

    PipeReader IDuplexPipe.Input => this;

    PipeWriter IDuplexPipe.Output => _transport.Output;

    /// <summary>Returns a task that ends when more has arrived, or when the client is gone.</summary>
    public Task ArrivalAsync() => _reading ??= _transport.Input.ReadAsync().AsTask();

    /// <summary>Keeps what has arrived.</summary>
    /// <param name="most">The number of bytes to keep at most.</param>
    /// <returns><see langword="false"/> if that is too much, or if the client is gone.</returns>
    public bool TryKeep(long most)
    {
        if (_reading is not { IsCompletedSuccessfully: true } reading)
        {
            _ = _reading?.Exception;
            return false;
        }

        var result = reading.Result;
        if (result.IsCompleted || result.IsCanceled || Length + result.Buffer.Length > most)
        {
            return false;
        }

        Keep(result);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        => _held.IsEmpty && _reading is null ? Pass(_transport.Input.ReadAsync(cancellationToken))
            : !_held.IsEmpty && !_isExamined ? new(Held(isCanceled: false))
            : ReadMoreAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        if (!_held.IsEmpty && !_isExamined)
        {
            result = Held(isCanceled: false);
            return true;
        }

        result = default;
        if (_reading is { IsCompleted: false } || (_reading is null && !_transport.Input.TryRead(out result)))
        {
            return false;
        }

        result = Joined(_reading is null ? result : Take());
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_gaveHeld)
        {
            _isExamined = _held.Slice(examined).IsEmpty;
            _held = _held.Slice(consumed);
        }
        else
        {
            _transport.Input.AdvanceTo(consumed, examined);
        }
    }

    public override void CancelPendingRead() => _transport.Input.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        _held = default;
        _transport.Input.Complete(exception);
    }

    private async ValueTask<ReadResult> ReadMoreAsync(CancellationToken cancellationToken)
    {
        await ArrivalAsync().WaitAsync(cancellationToken);
        return Joined(Take());
    }

    private ValueTask<ReadResult> Pass(ValueTask<ReadResult> reading)
    {
        _gaveHeld = false;
        return reading;
    }

    // Only once the read has ended, so this never blocks. It throws what the read threw.
    private ReadResult Take()
    {
        var reading = _reading!;
        _reading = null;
        return reading.GetAwaiter().GetResult();
    }

    // What is held comes first.
    private ReadResult Joined(in ReadResult result)
    {
        if (_held.IsEmpty)
        {
            _gaveHeld = false;
            return result;
        }

        Keep(result);
        return Held(result.IsCanceled);
    }

    private ReadResult Held(bool isCanceled)
    {
        _gaveHeld = true;
        return new ReadResult(_held, isCanceled, _isCompleted);
    }

    private void Keep(in ReadResult result)
    {
        var all = new byte[_held.Length + result.Buffer.Length];
        _held.CopyTo(all);
        result.Buffer.CopyTo(all.AsSpan((int)_held.Length));
        _held = new(all);
        _isCompleted |= result.IsCompleted;
        _transport.Input.AdvanceTo(result.Buffer.End);
        _reading = null;
    }
}
