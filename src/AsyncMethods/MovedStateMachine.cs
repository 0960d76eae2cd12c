namespace System.Runtime.CompilerServices;

/// <summary>The state machine of an async method that waits, for the framework's builder.</summary>
internal sealed class MovedStateMachine : IAsyncStateMachine
{
    // A field: a builder changes itself.
    public AsyncValueTaskMethodBuilder Builder;

    public IAsyncStateMachine? StateMachine { get; set; }

    public void MoveNext() => StateMachine!.MoveNext();

    public void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    /// <summary>What a method changed of the execution context before its first await is not its caller's.</summary>
    public static void Restore(ExecutionContext? context)
    {
        if (context is not null && ExecutionContext.Capture() != context)
        {
            ExecutionContext.Restore(context);
        }
    }
}

/// <summary>The same for a method with a result.</summary>
internal sealed class MovedStateMachine<TResult> : IAsyncStateMachine
{
    public AsyncValueTaskMethodBuilder<TResult> Builder;

    public IAsyncStateMachine? StateMachine { get; set; }

    public void MoveNext() => StateMachine!.MoveNext();

    public void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }
}
