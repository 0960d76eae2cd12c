using System.Net;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class BindServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_TwoZones_AnswersForBoth()
    {
        var options =
            new BindOptions { Zones = [new("one.test", "www IN A 127.0.0.9", "_acme-challenge IN CNAME x.two.test."), new("two.test")] };
        await using var bind = await BindServer.StartAsync(options, Cancellation);

        Assert.Equal(["127.0.0.9"], await Dig.QueryAsync(bind.Address, "www.one.test", "A", Cancellation));
        Assert.Equal(["x.two.test."], await Dig.QueryAsync(bind.Address, "_acme-challenge.one.test", "CNAME", Cancellation));
        Assert.Equal(["ns1.two.test."], await Dig.QueryAsync(bind.Address, "two.test", "NS", Cancellation));
    }

    [Fact]
    public async Task Update_RightKey_IsAcceptedAndReachesTheSecondaryOnlyOnTransfer()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancellation);

        var result = await UpdateAsync(bind, bind.TsigSecret);

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["\"value\""], await Dig.QueryAsync(bind.Address, "_acme-challenge.example.test", "TXT", Cancellation));
        Assert.Empty(await Dig.QueryAsync(bind.SecondaryAddress, "_acme-challenge.example.test", "TXT", Cancellation));
        await bind.TransferAsync("example.test", Cancellation);
        Assert.Equal(["\"value\""], await Dig.QueryAsync(bind.SecondaryAddress, "_acme-challenge.example.test", "TXT", Cancellation));
    }

    [Fact]
    public async Task SecondaryAddress_OverTcpAndSilent_AnswersUntilItIsSilent()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancellation);
        string[] query =
        [
            $"@{bind.SecondaryAddress.Address}", "-p", $"{bind.SecondaryAddress.Port}", "+short", "+tcp", "+time=1", "+tries=1",
            "ns2.example.test", "A",
        ];

        Assert.Equal("127.0.0.2", (await Command.RunToSuccessAsync("dig", query, cancellationToken: Cancellation)).Trim());
        bind.SecondaryIsSilent = true;
        Assert.NotEqual(0, (await Command.RunAsync("dig", query, cancellationToken: Cancellation)).ExitCode);
    }

    [Fact]
    public async Task Update_WrongKey_IsRefused()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancellation);

        var result = await UpdateAsync(bind, Convert.ToBase64String(new byte[32]));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("BADSIG", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_ASecondOne_StandsBesideTheFirst()
    {
        await using var first = await BindServer.StartAsync(cancellationToken: Cancellation);
        await using var second = await BindServer.StartAsync(cancellationToken: Cancellation);

        Assert.NotEqual<EndPoint>(first.Address, second.Address);
    }

    private static Task<CommandResult> UpdateAsync(BindServer bind, string secret) => Command.RunAsync(
        RequireServer.Installed("nsupdate", "bind9-dnsutils"),
        ["-y", $"{bind.TsigAlgorithm}:{bind.TsigKeyName}:{secret}"],
        $"server {bind.Address.Address} {bind.Address.Port}\nzone example.test\n"
        + "update add _acme-challenge.example.test 5 TXT value\nsend\n",
        cancellationToken: Cancellation);
}
