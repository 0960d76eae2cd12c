#pragma warning disable CA1822 // The compiler calls members of an instance.

using System.Diagnostics;

namespace System.Runtime.CompilerServices;

/// <summary>
/// Builds an async method that returns a <see cref="ValueTask"/> and names this builder in an <see cref="AsyncMethodBuilderAttribute"/>, as
/// <see cref="AsyncTaskMethodBuilder"/> does: the compiler knows the framework's builder from the attribute of that type.
/// </summary>
[StackTraceHidden]
internal struct SharedValueTaskMethodBuilder
{
    private MovedStateMachine? _moved;

    public readonly ValueTask Task => _moved is null ? ValueTask.CompletedTask : _moved.Builder.Task;

    public static SharedValueTaskMethodBuilder Create() => default;

    [DebuggerStepThrough]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        var context = ExecutionContext.Capture();
        try
        {
            stateMachine.MoveNext();
        }
        finally
        {
            MovedStateMachine.Restore(context);
        }
    }

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public readonly void SetResult() => _moved?.Builder.SetResult();

    public void SetException(Exception exception) => (_moved ??= new MovedStateMachine()).Builder.SetException(exception);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var moved = _moved;
        if (moved is null)
        {
            // This builder is a part of the state machine: it has to know the object before it is copied there.
            _moved = moved = new MovedStateMachine();
            moved.StateMachine = stateMachine;
        }

        moved.Builder.AwaitOnCompleted(ref awaiter, ref moved);
    }

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var moved = _moved;
        if (moved is null)
        {
            _moved = moved = new MovedStateMachine();
            moved.StateMachine = stateMachine;
        }

        moved.Builder.AwaitUnsafeOnCompleted(ref awaiter, ref moved);
    }
}

/// <summary>The same for a <see cref="ValueTask{TResult}"/>.</summary>
[StackTraceHidden]
internal struct SharedValueTaskMethodBuilder<TResult>
{
    private MovedStateMachine<TResult>? _moved;
    private TResult? _result;

    public readonly ValueTask<TResult> Task => _moved is null ? new ValueTask<TResult>(_result!) : _moved.Builder.Task;

    public static SharedValueTaskMethodBuilder<TResult> Create() => default;

    [DebuggerStepThrough]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        var context = ExecutionContext.Capture();
        try
        {
            stateMachine.MoveNext();
        }
        finally
        {
            MovedStateMachine.Restore(context);
        }
    }

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult(TResult result)
    {
        if (_moved is null)
        {
            _result = result;
        }
        else
        {
            _moved.Builder.SetResult(result);
        }
    }

    public void SetException(Exception exception) => (_moved ??= new MovedStateMachine<TResult>()).Builder.SetException(exception);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var moved = _moved;
        if (moved is null)
        {
            // This builder is a part of the state machine: it has to know the object before it is copied there.
            _moved = moved = new MovedStateMachine<TResult>();
            moved.StateMachine = stateMachine;
        }

        moved.Builder.AwaitOnCompleted(ref awaiter, ref moved);
    }

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        var moved = _moved;
        if (moved is null)
        {
            _moved = moved = new MovedStateMachine<TResult>();
            moved.StateMachine = stateMachine;
        }

        moved.Builder.AwaitUnsafeOnCompleted(ref awaiter, ref moved);
    }
}
