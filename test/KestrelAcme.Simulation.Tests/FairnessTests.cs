using KestrelAcme.Challenges;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Eight names that hang, beside 92 that are due at the same time: the whole engine, with its own times, on a model of an authority.
/// </summary>
[Long]
[Collection(nameof(Alone))]
public sealed class FairnessTests(ITestOutputHelper output)
{
    private const int Honest = 92;
    private const int Hostile = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromHours(12);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Renewals_NamesWhoseDnsHangs_TheOthersNeedNoMoreThanTwiceTheTime(bool lapsed)
        => Simulation.RunAsync(
            () => CompareAsync(new Trap { ChallengeHangs = TimeSpan.FromSeconds(105), Fault = ChallengeFault.Local, Lapsed = lapsed }));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Renewals_NamesWhoseDnsProviderHangs_TheOthersNeedNoMoreThanTwiceTheTime(bool lapsed)
        => Simulation.RunAsync(
            () => CompareAsync(new Trap { ChallengeHangs = TimeSpan.FromMinutes(10), Fault = ChallengeFault.Name, Lapsed = lapsed }));

    [Fact]
    public Task Renewals_StoreHangsForSomeNames_TheOthersNeedNoMoreThanHalfAgainAsLong()
        => Simulation.RunAsync(() => CompareAsync(new Trap { StoreHangs = true }, most: 1.5));

    [Theory]
    [InlineData(nameof(Unanswered.Everything))]
    [InlineData(nameof(Unanswered.NewOrders))]
    public Task Renewals_FirstOfTwoAuthoritiesHangs_TheyNeedNoMoreThanTwiceTheTime(string what)
        => Simulation.RunAsync(() => CompareAsync(new Trap { AuthorityHangs = Enum.Parse<Unanswered>(what) }));

    [Fact]
    public Task ADay_NamesWhoseDnsHangs_AreTriedLessAndLess() => Simulation.RunAsync(async () =>
    {
        var trap = new Trap { ChallengeHangs = TimeSpan.FromSeconds(105), Fault = ChallengeFault.Local };
        using var world = new FairnessWorld(trap, honest: 1, Hostile);
        await world.ObtainAsync();
        await world.StartDueAsync();

        await world.PassAsync(TimeSpan.FromDays(1));

        // The pause doubles from a minute to half an hour.
        output.WriteLine($"{trap.Fallen} attempts in a day");
        Assert.InRange(trap.Fallen, Hostile * 20, Hostile * 55);
    });

    private async Task CompareAsync(Trap trap, double most = 2)
    {
        var alone = await RenewalTimeAsync(
            new Trap { AuthorityHangs = trap.AuthorityHangs is null ? null : Unanswered.Nothing }, hostile: 0);
        var together = await RenewalTimeAsync(trap, Hostile);

        output.WriteLine($"alone {alone}, together {together}, {trap.Fallen} attempts fell into the trap");
        Assert.True(trap.Fallen > 0);
        Assert.True(together <= alone * most, $"{together}, alone {alone}");
    }

    private static async Task<TimeSpan> RenewalTimeAsync(Trap trap, int hostile)
    {
        using var world = new FairnessWorld(trap, Honest, hostile);
        await world.ObtainAsync();
        await world.StartDueAsync();
        return await world.UntilRenewedAsync(Patience);
    }
}
