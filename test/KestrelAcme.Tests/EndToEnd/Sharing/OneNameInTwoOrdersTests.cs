using System.Net;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>
/// Two instances with one store group their names differently, and have one name in two orders at once. The authority reaches a third
/// instance.
/// </summary>
public sealed class OneNameInTwoOrdersTests
{
    private const string Both = "both.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("tls-alpn-01")]
    [InlineData("http-01")]
    public async Task Order_OneNameIsValidatedForTwo_NoValidationFails(string challengeType)
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var front = await StartAsync(fixture, storage, challengeType, "ServeOnly", [Both, "one.test"], ["two.test"]);
        foreach (var name in new[] { Both, "one.test", "two.test" })
        {
            fixture.Authority.Resolve(name, front.Http, front.Https);
        }

        fixture.Authority.Faults.ValidationStuck = true;
        await using var one = await StartAsync(fixture, storage, challengeType, "Automatic", [Both, "one.test"]);
        await Poll.UntilAsync(
            () => fixture.PostedChallenges == 2,
            () => $"the first order's posts\n{one.Log}",
            cancellationToken: Cancelled);

        // By now the second order waits for the first, or has its own answers in place.
        await using var two = await StartAsync(fixture, storage, challengeType, "Automatic", ["two.test", Both]);
        await Poll.UntilAsync(
            () => two.Log.Has("TurnAwaited") || fixture.PostedChallenges == 4,
            () => $"the second order\n{two.Log}",
            cancellationToken: Cancelled);
        fixture.Authority.Faults.ValidationStuck = false;

        foreach (var app in new[] { one, two })
        {
            await app.ObtainedAsync(Both);
        }

        Assert.Equal(4, fixture.Authority.Validations.Count);
        Assert.All(fixture.Authority.Validations, v => Assert.Null(v.Problem));
    }

    private static Task<AcmeApp> StartAsync(
        LocalFixture fixture, IAcmeStorage storage, string challengeType, string issuance, params string[][] groups)
    {
        var settings = fixture.Settings();
        settings["AcmeHttps:Issuance"] = issuance;
        settings["AcmeHttps:ChallengeTypes:0"] = challengeType;
        foreach (var group in groups)
        {
            settings.AddGroup(group);
        }

        settings["urls"] = $"http://127.0.0.1:{FreePort.Tcp()};https://127.0.0.1:0";
        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }
}
