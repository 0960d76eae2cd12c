using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Crash;

/// <summary>
/// Two processes share a store. The one that orders is killed after each step, and the other one finishes the same order.
/// </summary>
[Long]
public sealed class FleetCrashTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Steps => [.. Enum.GetNames<OrderStep>()];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Kill_HolderOfTheLease_AnotherFinishesTheSameOrder(string killedAt)
    {
        var step = Enum.Parse<OrderStep>(killedAt);
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(CrashCase.Name);
        var otherPort = FreePort.Tcp();
        // The authority reaches the other one, which answers for the one that ordered. It must be there first.
        fixture.Authority.Resolve(CrashCase.Name, new(System.Net.IPAddress.Loopback, otherPort));
        fixture.Authority.Faults.ValidationStuck = true;

        await using var killed = TestAppProcess.Start(settings, FreePort.Tcp(), OrderSteps.ActivityOf(step));
        await killed.ListeningAsync();
        await using var other = TestAppProcess.Start(settings, otherPort);
        await other.ListeningAsync();
        fixture.Authority.Faults.ValidationStuck = false;
        await killed.KilledAsync();
        await other.ValidAsync(CrashCase.Name);

        var orders = fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });
        Assert.True(orders == (step == OrderStep.OrderPlaced ? 2 : 1), $"{orders} orders. Output:\n{other.Output}");
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.Single(fixture.Authority.Issued);
        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await other.ConnectAsync(CrashCase.Name)).SerialNumber);
        await Poll.UntilAsync(
            () => StoreContent.Read(fixture.StorePath) is { States: [{ State: CertificateState.Valid, StoredOrder: null }] },
            () => $"a settled state. Output:\n{other.Output}",
            cancellationToken: Token);
        Assert.Empty(StoreContent.Read(fixture.StorePath).Damaged);
    }
}
