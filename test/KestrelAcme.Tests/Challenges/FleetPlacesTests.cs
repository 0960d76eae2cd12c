using KestrelAcme.Challenges;
using Xunit;

namespace KestrelAcme.Tests.Challenges;

public sealed class FleetPlacesTests
{
    [Fact]
    public async Task Note_HandlerTakesLong_DoesNotWaitForIt()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var places = new FleetPlaces();
        var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gate = new ManualResetEventSlim();
        places.Changed += () =>
        {
            gate.Wait(cancelled);
            handled.SetResult();
        };

        var noting = Task.Run(() => places.Note("a", ["b"]), cancelled);
        try
        {
            await noting.WaitAsync(TimeSpan.FromSeconds(30), cancelled);
            Assert.False(handled.Task.IsCompleted);
        }
        finally
        {
            gate.Set();
        }

        await handled.Task.WaitAsync(cancelled);
    }
}
