using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.DnsClient.Updates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Updates;

/// <summary>Updates of a real server's zone.</summary>
public sealed class BindUpdateTests
{
    private static readonly DnsName Zone = DnsName.Parse("example.test");
    private static readonly DnsName Challenge = DnsName.Parse("_acme-challenge.example.test");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("hmac-sha256", TsigAlgorithm.HmacSha256)]
    [InlineData("hmac-sha512", TsigAlgorithm.HmacSha512)]
    public async Task UpdateAsync_RightKey_ChangesOneRecordAndLeavesTheOthers(string bindAlgorithm, TsigAlgorithm algorithm)
    {
        await using BindServer bind = await BindServer.StartAsync(new BindOptions { TsigAlgorithm = bindAlgorithm }, Cancellation);
        var requestor = new DnsQueryClient();
        TsigKey key = Key(bind, algorithm);

        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).Add(Txt("one")).Add(Txt("two")), key, Cancellation);
        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).Add(Txt("three")), key, Cancellation);
        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).Add(Txt("three")), key, Cancellation);
        Assert.Equal(["one", "three", "two"], await TextsAsync(requestor, bind));

        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).Delete(Txt("one")).Delete(Txt("never there")), key, Cancellation);
        Assert.Equal(["three", "two"], await TextsAsync(requestor, bind));

        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).DeleteSet(Challenge, DnsRecordType.TXT), key, Cancellation);
        Assert.Empty(await TextsAsync(requestor, bind));
    }

    [Fact]
    public async Task UpdateAsync_LongText_ArrivesInSeveralStrings()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        var requestor = new DnsQueryClient();
        string text = string.Concat(Enumerable.Range(0, 600).Select(i => i % 10));

        await requestor.UpdateAsync(bind.Address, new DnsUpdate(Zone).Add(Txt(text)), Key(bind), Cancellation);

        Assert.Equal([text], await TextsAsync(requestor, bind));
    }

    [Fact]
    public async Task UpdateAsync_BadSignatures_AreToldApart()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        string otherSecret = Convert.ToBase64String(new byte[32]);
        TsigKey[] keys =
        [
            new(DnsName.Parse(bind.TsigKeyName), TsigAlgorithm.HmacSha256, otherSecret),
            new(DnsName.Parse("unknown-key"), TsigAlgorithm.HmacSha256, bind.TsigSecret),
            new(DnsName.Parse(bind.TsigKeyName), TsigAlgorithm.HmacSha512, bind.TsigSecret),
        ];

        TsigException[] errors = await Task.WhenAll(keys.Select(key => FailAsync<TsigException>(bind, Zone, key)));

        Assert.Equal([TsigError.BADSIG, TsigError.BADKEY, TsigError.BADKEY], errors.Select(error => error.Error));
        Assert.All(errors, error => Assert.Equal(bind.Address, error.Server));
        Assert.All(errors.Zip(keys), pair =>
            Assert.Contains($"{bind.Address}, signed with key {pair.Second}", pair.First.Message, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.DoesNotContain(bind.TsigSecret, error.ToString(), StringComparison.Ordinal));
        Assert.All(errors, error => Assert.DoesNotContain(otherSecret, error.ToString(), StringComparison.Ordinal));
        Assert.Empty(await TextsAsync(new DnsQueryClient(), bind));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task UpdateAsync_ClockIsWrong_TellsBothTimes(int hours)
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(hours));

        var error = await Assert.ThrowsAsync<TsigException>(() =>
            new DnsQueryClient(timeProvider: time).UpdateAsync(bind.Address, new DnsUpdate(Zone).Add(Txt("v")), Key(bind), Cancellation));

        Assert.Equal(TsigError.BADTIME, error.Error);
        Assert.Contains($"this machine's clock says {time.GetUtcNow():yyyy-MM-dd HH:mm:ss} UTC", error.Message, StringComparison.Ordinal);
        Assert.Contains($"the server's clock says {time.GetUtcNow().AddHours(-hours):yyyy-MM-dd}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpdateAsync_ServerRejects_ThrowsWithItsCode()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);

        var foreign = await FailAsync<DnsResponseCodeException>(bind, DnsName.Parse("foreign.test"), Key(bind));
        var unsigned = await FailAsync<DnsResponseCodeException>(bind, Zone, key: null);

        Assert.Equal((DnsResponseCode.NOTAUTH, "foreign.test"), (foreign.Code, foreign.Zone.ToString()));
        Assert.Equal(DnsResponseCode.REFUSED, unsigned.Code);
        Assert.Equal(
            $"{bind.Address} rejected the update of zone example.test: "
            + "REFUSED (its policy does not allow this client or key to make this change).",
            unsigned.Message);
    }

    [Fact]
    public async Task UpdateAsync_AnswerChangedOnTheWay_IsNotBelieved()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        byte[]? recorded = null;
        Func<byte[], byte[]>[] attacks =
        [
            answer => recorded = answer,
            answer => [.. answer[..3], (byte)(answer[3] | 5), .. answer[4..]], // another code
            answer => [.. answer[..^9], (byte)(answer[^9] ^ 1), .. answer[^8..]], // within the signature
            answer => Reply.WithId(recorded!, (answer[0] << 8) | answer[1]), // the good answer to an earlier request
            answer => [.. answer[..10], 0, 0, .. answer[12..24], .. answer[24..(12 + Zone.Wire.Length + 4)]], // the signature cut off
        ];
        List<string?> outcomes = [];
        foreach (Func<byte[], byte[]> attack in attacks)
        {
            await using var relay = new ScriptedServer(tcp: request => Reply.Framed(attack(TcpRelay.Ask(bind.Address, request))));
            Exception? error = await Record.ExceptionAsync(() =>
                new DnsQueryClient().UpdateAsync(relay.EndPoint, new DnsUpdate(Zone).Add(Txt("v")), Key(bind), Cancellation));
            outcomes.Add((error as TsigException)?.Message.Split("failed: ")[1] ?? error?.ToString());
        }

        Assert.Equal(
            [
                null,
                "the signature of the response is invalid.",
                "the signature of the response is invalid.",
                "the signature of the response is invalid.",
                "the response (NOERROR) is not signed.",
            ],
            outcomes);
    }

    [Fact]
    public async Task UpdateAsync_AnswerFromLongAgo_IsNotBelieved()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var relay = new ScriptedServer(tcp: request =>
        {
            byte[] answer = TcpRelay.Ask(bind.Address, request);
            time.SetUtcNow(time.GetUtcNow().AddSeconds(320));
            return Reply.Framed(answer);
        });

        var error = await Assert.ThrowsAsync<TsigException>(() =>
            new DnsQueryClient(timeProvider: time).UpdateAsync(relay.EndPoint, new DnsUpdate(Zone).Add(Txt("v")), Key(bind), Cancellation));

        Assert.Null(error.Error);
        Assert.Contains("the response was signed at", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpdateAsync_ConnectionDropsOnce_SendsAgain()
    {
        await using BindServer bind = await BindServer.StartAsync(cancellationToken: Cancellation);
        int seen = 0;
        await using var relay = new ScriptedServer(tcp: request =>
        {
            byte[] answer = TcpRelay.Ask(bind.Address, request);
            return seen++ == 0 ? [] : Reply.Framed(answer);
        });

        await new DnsQueryClient().UpdateAsync(relay.EndPoint, new DnsUpdate(Zone).Add(Txt("v")), Key(bind), Cancellation);

        Assert.Equal(2, seen);
        Assert.Equal(["v"], await TextsAsync(new DnsQueryClient(), bind));
    }

    private static TsigKey Key(BindServer bind, TsigAlgorithm algorithm = TsigAlgorithm.HmacSha256) =>
        new(DnsName.Parse(bind.TsigKeyName), algorithm, bind.TsigSecret);

    private static TxtRecord Txt(string text) => new(Challenge, TimeSpan.FromSeconds(1), text);

    private static Task<T> FailAsync<T>(BindServer bind, DnsName zone, TsigKey? key)
        where T : DnsException => Assert.ThrowsAsync<T>(() => new DnsQueryClient().UpdateAsync(
            bind.Address, new DnsUpdate(zone).Add(new TxtRecord(zone, TimeSpan.FromSeconds(1), "v")), key, Cancellation));

    private static async Task<string[]> TextsAsync(DnsQueryClient requestor, BindServer bind)
    {
        DnsResponse response = await requestor.QueryAsync(bind.Address, Challenge, DnsRecordType.TXT, cancellationToken: Cancellation);
        Assert.True(response.IsAuthoritative);
        return [.. response.Answers.Cast<TxtRecord>().Select(record => record.Text).Order(StringComparer.Ordinal)];
    }
}
