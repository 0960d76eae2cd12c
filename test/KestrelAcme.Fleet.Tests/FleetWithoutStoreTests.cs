using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>An instance that is started while its store cannot be reached, as on a day when everything is restarted.</summary>
[Long]
public sealed class FleetWithoutStoreTests
{
    private const string Name = "stored.example.com";

    public static TheoryData<string> Kinds => SharedStore.AllKinds;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Start_StoreUnreachable_RunsWithoutOrderingAndServesWhenItIsBack(string store)
    {
        await using var fleet = await Fleet.CreateAsync(new FleetOptions(store)
        {
            Size = 2,
            Names = [Name],
            UsesLocalAuthority = true,
            Settings = new Dictionary<string, string?>(Trouble.ShortTimes) { ["STORE_SECONDS"] = "1", ["LOAD_SECONDS"] = "1" },
        });
        var (running, restarted) = (fleet.Instances[0], fleet.Instances[1]);
        running.Start();
        await running.ListeningAsync();
        await Poll.UntilAsync(
            async _ => await running.ServedAsync(Name) is not null,
            () => $"the certificate\n{fleet.Logs()}",
            // If the second that the store has was too short, the instance waits a minute for those who might write back.
            TimeSpan.FromMinutes(3),
            Token);
        var serial = await running.ServedAsync(Name);

        await fleet.Store.BreakAsync();
        restarted.Change("HAS_TABLES", "true");
        restarted.Start();
        await restarted.ListeningAsync();
        Assert.True(await restarted.ServesPlaceholderAsync(Name), fleet.Logs());
        Assert.Equal(serial, await running.ServedAsync(Name));
        await restarted.StatusAsync();
        await Poll.UntilAsync(
            () => restarted.Output.Contains("The store could not be read", StringComparison.Ordinal),
            () => $"a word about the store\n{fleet.Logs()}",
            cancellationToken: Token);

        await fleet.Store.RestoreAsync();
        await Poll.UntilAsync(
            async _ => await restarted.ServedAsync(Name) == serial,
            () => $"the stored certificate, as soon as the store is back\n{fleet.Logs()}",
            cancellationToken: Token);
        Assert.Equal(new FleetCounts(Accounts: 1, Orders: 1, Certificates: 1, FailedValidations: 0), fleet.Count());
    }
}
