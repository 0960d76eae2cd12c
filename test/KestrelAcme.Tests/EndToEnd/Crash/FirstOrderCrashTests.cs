using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Crash;

/// <summary>The process is killed after each step of the first order, and started again.</summary>
[Long]
public sealed class FirstOrderCrashTests
{
    public static TheoryData<string> Steps => [.. Enum.GetNames<OrderStep>()];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Start_AfterAKillInTheFirstOrder_FinishesIt(string killedAt)
    {
        var step = Enum.Parse<OrderStep>(killedAt);
        await using var crash = await CrashCase.CreateAsync();
        crash.HoldValidation(step);
        await using (var killed = crash.Start(step))
        {
            await killed.KilledAsync();
        }

        await using var app = crash.Start();
        await app.ListeningAsync();
        crash.ReleaseValidation();
        await app.ValidAsync(CrashCase.Name);

        Assert.True(crash.WasIssued(await app.ConnectAsync(CrashCase.Name)));
        Assert.InRange(crash.Orders, 1, CrashCase.CanBeFinished(step) || step < OrderStep.OrderPlaced ? 1 : 2);
        await crash.AssertSettledAsync(app);
    }
}
