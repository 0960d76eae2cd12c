using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class DnsApiClientTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Any response, even from another server, results in a response or a provider failure.</summary>
    [Fact]
    public async Task Send_InvalidResponses_ThrowProviderException()
    {
        await using var server = new OddHttpServer();
        string[] templates =
        [
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"success\":true}",
            "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ];
        var time = new FakeTimeProvider();
        using var client = new DnsApiClient(new Uri($"http://127.0.0.1:{server.EndPoint.Port}/api"), time);
        foreach (var answer in OddAnswers.Redirects.Concat(OddAnswers.Mutations(seed: 2, count: 60, templates)))
        {
            server.Answer = answer;
            var sending = client.SendAsync(HttpMethod.Get, "zones", content: null, "example.test", Cancelled);
            await time.RunUntilCompleteAsync(sending.ContinueWith(_ => { }, TaskScheduler.Default), TimeSpan.FromHours(1),
                TimeSpan.FromMilliseconds(20), Cancelled);
            try
            {
                var result = await sending;
                Assert.True(result.RetryAfter is null or { TotalDays: <= 366 }, $"It asks to wait for {result.RetryAfter}.");
                Assert.DoesNotContain(client.Failure(result, "example.test", result.Text, "").Message, char.IsControl);
            }
            catch (DnsProviderException exception)
            {
                Assert.DoesNotContain(exception.Message, char.IsControl);
            }
        }
    }

    [Fact]
    public async Task Send_NobodyListens_NamesTheAddress()
    {
        var port = FreePort.Tcp();
        var time = new FakeTimeProvider();
        using var client = new DnsApiClient(new Uri($"http://127.0.0.1:{port}/"), time);
        var sending = client.SendAsync(HttpMethod.Get, "zones", content: null, "example.test", Cancelled);
        await time.RunUntilCompleteAsync(sending.ContinueWith(_ => { }, TaskScheduler.Default), TimeSpan.FromHours(1),
            TimeSpan.FromMilliseconds(500), Cancelled);

        var failure = await Assert.ThrowsAsync<DnsProviderException>(() => sending);

        Assert.Contains($"no connection to 127.0.0.1:{port}: 127.0.0.1 refused the connection", failure.Message, StringComparison.Ordinal);
    }
}
