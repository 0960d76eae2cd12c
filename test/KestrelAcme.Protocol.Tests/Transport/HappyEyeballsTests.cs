using System.Net;
using System.Net.Sockets;
using KestrelAcme.Protocol.Transport;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class HappyEyeballsTests
{
    private static readonly IPAddress[] Addresses = [.. new[] { "2001:db8::1", "192.0.2.1", "192.0.2.2" }.Select(IPAddress.Parse)];
    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<IPAddress, TaskCompletionSource<Stream>> _connections =
        Addresses.ToDictionary(a => a, _ => new TaskCompletionSource<Stream>());
    private readonly List<string> _begun = [];
    private bool _ignoresCancellation;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("::1 ::2 ::3 1.1.1.1 2.2.2.2", "::1 1.1.1.1 ::2 2.2.2.2 ::3")]
    [InlineData("1.1.1.1 2.2.2.2 ::1", "1.1.1.1 ::1 2.2.2.2")]
    [InlineData("1.1.1.1 1.1.1.1", "1.1.1.1")]
    [InlineData("::1", "::1")]
    public void Order_Addresses_FamiliesTakeTurns(string addresses, string expected)
        => Assert.Equal(expected, string.Join(' ', HappyEyeballs.Order([.. addresses.Split(' ').Select(IPAddress.Parse)])));

    [Fact]
    public void Order_Flood_IsBounded()
        => Assert.Equal(16, HappyEyeballs.Order([.. Enumerable.Range(1, 250).Select(i => IPAddress.Parse($"10.0.0.{i}"))]).Count);

    [Fact]
    public async Task Connect_FirstIsSilent_SecondBeginsAfterAQuarterOfASecondAndWins()
    {
        var connecting = ConnectAsync();
        await _time.WhenWaitingAsync(2, Cancelled);
        Assert.Equal(["2001:db8::1"], _begun);

        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(["2001:db8::1"], _begun);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Poll.UntilAsync(() => _begun.Count == 2, "the second attempt", cancellationToken: Cancelled);
        using var winner = new MemoryStream();
        _connections[Addresses[1]].SetResult(winner);

        Assert.Same(winner, await connecting);
        Assert.Equal(["2001:db8::1", "192.0.2.1"], _begun);
    }

    [Fact]
    public async Task Connect_FirstFails_SecondBeginsAtOnce()
    {
        _connections[Addresses[0]].SetException(new SocketException((int)SocketError.NetworkUnreachable));
        using var winner = new MemoryStream();
        _connections[Addresses[1]].SetResult(winner);

        Assert.Same(winner, await ConnectAsync());
    }

    [Fact]
    public async Task Connect_LoserConnectsLater_IsClosed()
    {
        _ignoresCancellation = true;
        var connecting = ConnectAsync();
        await _time.WhenWaitingAsync(2, Cancelled);
        _time.Advance(HappyEyeballs.AttemptDelay);
        await Poll.UntilAsync(() => _begun.Count == 2, "the second attempt", cancellationToken: Cancelled);
        _connections[Addresses[1]].SetResult(new MemoryStream());
        await connecting;

        var loser = new MemoryStream();
        _connections[Addresses[0]].SetResult(loser);

        await Poll.UntilAsync(() => !loser.CanRead, "the loser to be closed", cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Connect_AllFail_EachIsNamedWithWhatItDid()
    {
        _connections[Addresses[1]].SetException(new SocketException((int)SocketError.ConnectionRefused));
        _connections[Addresses[2]].SetException(new SocketException((int)SocketError.HostUnreachable));
        var connecting = ConnectAsync("169.254.1.1 was not tried: it is a link-local address");

        await _time.RunUntilCompleteAsync(connecting.ContinueWith(_ => { }, TaskScheduler.Default), TimeSpan.FromMinutes(1),
            cancellationToken: Cancelled);
        var failure = await Assert.ThrowsAsync<ConnectFailedException>(() => connecting);

        Assert.Equal(
            "no connection to ca.test:443: 169.254.1.1 was not tried: it is a link-local address; 192.0.2.1 refused the connection; "
            + "192.0.2.2 cannot be reached: there is no route to it from this machine; 2001:db8::1 did not answer within 15 s",
            failure.Message);
    }

    [Fact]
    public async Task Connect_Cancelled_SaysSo()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var connecting = ConnectAsync(cancellationToken: cancel.Token);
        await _time.WhenWaitingAsync(2, Cancelled);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    private Task<Stream> ConnectAsync(string? notTried = null, CancellationToken? cancellationToken = null) => HappyEyeballs.ConnectAsync(
        "ca.test:443",
        Addresses,
        notTried is null ? [] : [notTried],
        (address, token) =>
        {
            _begun.Add(address.ToString());
            return _ignoresCancellation ? _connections[address].Task : _connections[address].Task.WaitAsync(token);
        },
        TimeSpan.FromSeconds(15),
        _time,
        cancellationToken ?? Cancelled);
}
