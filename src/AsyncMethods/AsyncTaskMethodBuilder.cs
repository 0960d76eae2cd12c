// The compiler takes the builder of an async method from the project if it has one of this name, and from the framework otherwise.
#pragma warning disable CS0436 // The type conflicts with the imported type: that is its purpose.
#pragma warning disable CA1822 // The compiler calls members of an instance.

using System.Diagnostics;

namespace System.Runtime.CompilerServices;

/// <summary>Builds the async methods of this project that return a <see cref="Task"/>.</summary>
/// <remarks>
/// A state machine is a value type, so the JIT compiles the framework's builder, a dozen methods, anew for each async method that runs:
/// that was a third of what it did before the first handshake. This builder moves a state machine into an object at its first await, and
/// the framework's builder sees only that object, whose type is the same for all. It does the work still: tasks, cancellation, exceptions
/// and the execution context are the framework's. The four builders repeat the same lines on purpose: a generic method that they share
/// would be compiled anew for each state machine, which is what they are there to avoid.
/// </remarks>
[StackTraceHidden]
internal struct AsyncTaskMethodBuilder
{
    private MovedStateMachine? _moved;

    public readonly Task Task => _moved is null ? Task.CompletedTask : _moved.Builder.Task.AsTask();

    public static AsyncTaskMethodBuilder Create() => default;

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

/// <summary>Builds the async methods of this project that return a <see cref="Task{TResult}"/>.</summary>
[StackTraceHidden]
internal struct AsyncTaskMethodBuilder<TResult>
{
    private MovedStateMachine<TResult>? _moved;
    private TResult? _result;

    public readonly Task<TResult> Task => _moved is null ? System.Threading.Tasks.Task.FromResult(_result!) : _moved.Builder.Task.AsTask();

    public static AsyncTaskMethodBuilder<TResult> Create() => default;

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
