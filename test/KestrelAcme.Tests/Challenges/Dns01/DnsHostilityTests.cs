using KestrelAcme.Challenges;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// DNS that is set up to delay or mislead its clients. Finding the location of a record must finish in time, with few queries, and with an
/// error or the correct location.
/// </summary>
public sealed class DnsHostilityTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>
    /// What the name's DNS does, and whether that counts as a fault of the name; null if the flow succeeds anyway.
    /// </summary>
    public static TheoryData<DnsHostility, ChallengeFault?> Hostilities => new()
    {
        { DnsHostility.None, null },
        { DnsHostility.Spoofed, null },
        { DnsHostility.Huge, null },
        { DnsHostility.LongChain, ChallengeFault.Name },
        { DnsHostility.LongChainAtOnce, ChallengeFault.Name },
        { DnsHostility.Circle, ChallengeFault.Name },
        { DnsHostility.PointerChains, ChallengeFault.Local },
        { DnsHostility.Truncated, ChallengeFault.Local },
        { DnsHostility.Garbage, ChallengeFault.Local },
        { DnsHostility.ServerFailure, ChallengeFault.Local },
    };

    /// <summary>What makes the flow wait, with a clock that jumps, and whether it succeeds anyway.</summary>
    public static TheoryData<DnsHostility, bool> Delays => new()
    {
        { DnsHostility.Slow, true },
        { DnsHostility.ManyServers, true },
        { DnsHostility.Slow | DnsHostility.LongChain | DnsHostility.NoSoa, false },
        { DnsHostility.Slow | DnsHostility.LongChainAtOnce, false },
        { DnsHostility.Slow | DnsHostility.DeepName, false },
        { DnsHostility.DeepName | DnsHostility.NoSoa, false },
        { DnsHostility.NoSoa, false },
        { DnsHostility.Silent, false },
        { DnsHostility.WrongId, false },
        { DnsHostility.WrongQuestion, false },
        { DnsHostility.Dripping, false },
    };

    [Theory]
    [MemberData(nameof(Hostilities))]
    public async Task Flow_HostileAnswers_EndsInTheRightPlaceOrInAnError(DnsHostility hostility, ChallengeFault? fault)
        => Assert.Equal(fault, (await RunAsync(hostility, fault is null))?.Fault);

    [Theory]
    [MemberData(nameof(Delays))]
    public Task Flow_HostileDelays_EndsInTimeInTheRightPlaceOrInAnError(DnsHostility hostility, bool goesThrough)
        => RunAsync(hostility, goesThrough);

    private async Task<ChallengeException?> RunAsync(DnsHostility hostility, bool goesThrough)
    {
        await using var server = new HostileDnsServer(hostility, _time);
        var provider = new RecordingProvider(record => server.Texts.GetOrAdd(record.Name, _ => []).Add(record.Value));
        await using var app = new DnsFixture(
            new Dictionary<string,
            string?>(),
            server.Address.Port,
            acme: acme => acme.AddDnsProvider("Recording", _ => provider),
            time: _time);
        var challenge = DnsFixture.Challenge("example.test", "one");
        var start = _time.GetTimestamp();

        var exception = await Record.ExceptionAsync(() => DriveAsync(app.Handler.PrepareAsync(challenge, Cancelled)));

        Assert.InRange(_time.GetElapsedTime(start).TotalSeconds, 0, 30);
        Assert.InRange(server.Questions, 1, 500);
        Assert.Equal(goesThrough ? null : typeof(ChallengeException), exception?.GetType());
        if (goesThrough)
        {
            Assert.Equal("_acme-challenge.example.test", Assert.Single(provider.Created).Name);
            await DriveAsync(app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));
        }
        else
        {
            Assert.Empty(provider.Created);
        }

        await DriveAsync(app.Handler.CleanUpAsync(challenge, Cancelled));
        return exception as ChallengeException;
    }

    private Task DriveAsync(Task task)
        => _time.RunUntilCompleteAsync(task, TimeSpan.FromMinutes(6), TimeSpan.FromMilliseconds(100), Cancelled);
}
