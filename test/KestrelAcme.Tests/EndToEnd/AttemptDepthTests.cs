using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>How deep a reader, or a debugger, has to go from the scheduler to the challenge that is posted to the CA.</summary>
public sealed class AttemptDepthTests
{
    private const int Deepest = 9;

    [Fact]
    public async Task Order_ChallengeIsPosted_FewMethodsWait()
    {
        var gate = new PostGate();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings("app.test"),
            configure: builder => builder.Services.AddSingleton<IAuthorityClientFactory>(
                services => new GatedClientFactory(ActivatorUtilities.CreateInstance<AcmeAuthorityClientFactory>(services), gate)));

        List<string> frames = [];
        await Poll.UntilAsync(
            () => gate.IsReached && (frames = AsyncStack.Read(gate.Posting)).Contains($"{nameof(CertificateScheduler)}.RunOneAsync"),
            () => $"the post of a challenge\n{app.Log}",
            cancellationToken: TestContext.Current.CancellationToken);
        gate.Open();
        await app.ObtainedAsync("app.test");

        Assert.True(frames.Count <= Deepest, $"{frames.Count} methods, at most {Deepest}:\n{string.Join('\n', frames)}");
    }

    /// <summary>Holds the first challenge that is posted.</summary>
    private sealed class PostGate
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task? _posting;

        public bool IsReached => Volatile.Read(ref _posting) is not null;

        /// <summary>What the order waits for.</summary>
        public Task Posting => Volatile.Read(ref _posting) ?? throw new InvalidOperationException("No challenge was posted.");

        public void Open() => _open.TrySetResult();

        /// <summary>Calls when the gate is open. Its own waiting is no frame of the order's.</summary>
        public Task<T> Pass<T>(Func<Task<T>> call)
        {
            var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _posting, result.Task);
            _ = Task.Run(async () =>
            {
                try
                {
                    await _open.Task;
                    result.SetResult(await call());
                }
                catch (Exception exception)
                {
                    result.SetException(exception);
                }
            });
            return result.Task;
        }
    }

    private sealed class GatedClientFactory(IAuthorityClientFactory factory, PostGate gate) : IAuthorityClientFactory
    {
        public IAuthorityClient Create(AuthoritySpecification specification)
            => GatedProxy<IAuthorityClient>.Around(factory.Create(specification), gate);
    }

    /// <summary>Passes every call on; accounts that come back are wrapped too, and a challenge is posted through the gate.</summary>
    [SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "A proxy derives from it at run time.")]
    private class GatedProxy<T> : DispatchProxy
        where T : class
    {
        private T _inner = null!;
        private PostGate _gate = null!;

        public static T Around(T inner, PostGate gate)
        {
            var proxy = Create<T, GatedProxy<T>>();
            ((GatedProxy<T>)(object)proxy)._inner = inner;
            ((GatedProxy<T>)(object)proxy)._gate = gate;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            object? Call() => targetMethod!.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
            return targetMethod!.Name == nameof(IAuthorityAccount.AcceptChallengeAsync)
                ? _gate.Pass(() => (Task<Protocol.Challenges.Challenge>)Call()!)
                : Call() switch
                {
                    IAuthorityAccount account => GatedProxy<IAuthorityAccount>.Around(account, _gate),
                    Task<IAuthorityAccount> opening => WrapAsync(opening),
                    var result => result,
                };
        }

        private async Task<IAuthorityAccount> WrapAsync(Task<IAuthorityAccount> opening)
            => GatedProxy<IAuthorityAccount>.Around(await opening, _gate);
    }

    /// <summary>Reads which methods wait for a task, and for each other, as a debugger does.</summary>
    private static class AsyncStack
    {
        private static readonly FieldInfo Continuation
            = typeof(Task).GetField("m_continuationObject", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException("This version of .NET keeps the continuation of a task elsewhere.");

        /// <returns>The methods of KestrelAcme that wait, the innermost first: <c>Type.Method</c>.</returns>
        public static List<string> Read(Task innermost)
        {
            var frames = new List<string>();
            for (var task = innermost; task is not null; task = Next(Continuation.GetValue(task)))
            {
                if (StateMachine(task)?.GetType() is { DeclaringType: { } type, Namespace: { } space } machine
                    && space.StartsWith("KestrelAcme.", StringComparison.Ordinal))
                {
                    // <RunOneAsync>d__12
                    frames.Add($"{type.Name}.{machine.Name.Split('<', '>')[1]}");
                }
            }

            return frames;
        }

        // The products' own builder of async methods moves a state machine into an object, and the framework waits for that one.
        private static object? StateMachine(Task task)
        {
            var machine = task.GetType().GetField("StateMachine")?.GetValue(task);
            return machine?.GetType().GetProperty("StateMachine") is { } moved ? moved.GetValue(machine) : machine;
        }

        private static Task? Next(object? continuation) => continuation switch
        {
            Task task => task,
            Delegate { Target: Task task } => task,
            _ => null,
        };
    }
}
