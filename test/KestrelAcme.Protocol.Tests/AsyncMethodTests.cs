using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace KestrelAcme.Protocol.Tests;

/// <summary>
/// The builders of src/AsyncMethods, which are compiled into this project, too: all async methods here are theirs. An async method must not
/// tell them from the framework's.
/// </summary>
public sealed class AsyncMethodTests
{
    private static readonly AsyncLocal<string?> Local = new();

    public static TheoryData<bool> Waits => [false, true];

    [Fact]
    public void StateMachines_Product_UseItsOwnBuilder()
    {
        var builders = typeof(AcmeClient).Assembly.GetTypes()
            .Where(type => typeof(IAsyncStateMachine).IsAssignableFrom(type))
            .Select(type => type.GetField("<>t__builder", BindingFlags.Instance | BindingFlags.Public)?.FieldType)
            .Where(builder => builder?.Name is "AsyncTaskMethodBuilder" or "AsyncTaskMethodBuilder`1")
            .ToList();

        Assert.NotEmpty(builders);
        Assert.All(builders, builder => Assert.Equal(typeof(AcmeClient).Assembly, builder!.Assembly));
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task Result_OfEachKind_IsReturned(bool waits)
    {
        var log = new List<int>();
        await DoAsync(waits, log);
        await DoShortlyAsync(waits, log);

        Assert.Equal(5050, await SumAsync(waits));
        Assert.Equal("5050", await SumShortlyAsync(waits));
        Assert.Equal([1, 2, 1, 2], log);
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task Exception_OfAnyMethod_ReachesTheCallerItself(bool waits)
    {
        var thrown = new InvalidOperationException("thrown");
        var task = ThrowAsync(waits, thrown);
        var result = ThrowResultAsync(waits, thrown);

        Assert.Same(thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => task));
        Assert.Same(thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => result));
        Assert.Same(thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => ThrowShortlyAsync(waits, thrown).AsTask()));
        Assert.Equal(TaskStatus.Faulted, task.Status);
        Assert.Same(thrown, Assert.Single(result.Exception!.InnerExceptions));
        Assert.Contains(nameof(ThrowShortlyAsync), thrown.StackTrace, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task Cancellation_WithAToken_IsCancelledWithThatToken(bool waits)
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var thrown = new OperationCanceledException("cancelled", source.Token);
        var task = ThrowAsync(waits, thrown);
        var result = ThrowResultAsync(waits, thrown);

        Assert.Same(thrown, await Assert.ThrowsAsync<OperationCanceledException>(() => task));
        Assert.Same(thrown, await Assert.ThrowsAsync<OperationCanceledException>(() => result));
        Assert.Equal(TaskStatus.Canceled, task.Status);
        Assert.Equal(TaskStatus.Canceled, result.Status);
        Assert.Equal(source.Token, new TaskCanceledException(task).CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task AsyncLocal_SetInAMethod_StaysInIt(bool waits)
    {
        Local.Value = "the caller's";
        var task = SetLocalAsync(waits);

        Assert.Equal("the caller's", Local.Value);
        Assert.Equal("the method's", await task);
        Assert.Equal("the caller's", Local.Value);
    }

    [Fact]
    public async Task Task_BeforeItsEnd_IsTheOneThatIsCompleted()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = AddOneAsync(source.Task);
        Assert.False(task.IsCompleted);

        source.SetResult(41);

        Assert.Equal(42, await task);
        Assert.Equal(42, await task);
    }

    private static async Task DoAsync(bool waits, List<int> log)
    {
        log.Add(1);
        await WaitAsync(waits);
        log.Add(2);
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    private static async ValueTask DoShortlyAsync(bool waits, List<int> log)
    {
        log.Add(1);
        await WaitAsync(waits);
        log.Add(2);
    }

    private static async Task<int> SumAsync(bool waits)
    {
        var sum = 0;
        for (var i = 1; i <= 100; i++)
        {
            await WaitAsync(waits);
            sum += i;
        }

        return sum;
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    private static async ValueTask<string> SumShortlyAsync(bool waits)
        => (await SumAsync(waits)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task ThrowAsync(bool waits, Exception exception)
    {
        await WaitAsync(waits);
        throw exception;
    }

    private static async Task<int> ThrowResultAsync(bool waits, Exception exception)
    {
        await WaitAsync(waits);
        throw exception;
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    private static async ValueTask ThrowShortlyAsync(bool waits, Exception exception)
    {
        await WaitAsync(waits);
        throw exception;
    }

    private static async Task<string?> SetLocalAsync(bool waits)
    {
        Local.Value = "the method's";
        await WaitAsync(waits);
        return Local.Value;
    }

    private static async Task<int> AddOneAsync(Task<int> task) => await task + 1;

    private static Task WaitAsync(bool waits) => waits ? Task.Run(static () => { }) : Task.CompletedTask;
}
