using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Crash;

/// <summary>The process is killed after each step of a renewal, and started again.</summary>
[Long]
public sealed class RenewalCrashTests
{
    public static TheoryData<string> Steps => [.. Enum.GetNames<OrderStep>()];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Start_AfterAKillInARenewal_ServesAtOnceAndFinishesIt(string killedAt)
    {
        var step = Enum.Parse<OrderStep>(killedAt);
        await using var crash = await CrashCase.CreateAsync();
        string first;
        await using (var killed = crash.Start(step, "renewal"))
        {
            await killed.ListeningAsync();
            await killed.ValidAsync(CrashCase.Name);
            first = (await killed.ConnectAsync(CrashCase.Name)).SerialNumber;
            crash.HoldValidation(step);
            await Assert.ThrowsAnyAsync<Exception>(() => killed.RenewAsync(CrashCase.Name));
            await killed.KilledAsync();
        }

        await using var app = crash.Start();
        await app.ListeningAsync();
        crash.ReleaseValidation();
        Assert.True(
            crash.WasIssued(await app.ConnectAsync(CrashCase.Name)), "A certificate that was issued is served as soon as the app listens.");

        // Before the state said so, the renewal was only in the mind of the one who had asked for it.
        if (step >= OrderStep.AccountReady)
        {
            await Poll.UntilAsync(
                async _ => (await app.ConnectAsync(CrashCase.Name)).SerialNumber != first,
                () => $"the successor. Output:\n{app.Output}",
                cancellationToken: TestContext.Current.CancellationToken);
        }

        await app.ValidAsync(CrashCase.Name);
        Assert.InRange(crash.Orders, 1, CrashCase.CanBeFinished(step) || step < OrderStep.OrderPlaced ? 2 : 3);
        await crash.AssertSettledAsync(app);
    }
}
