using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Hosting.Status;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

/// <summary>The last events, and the stream of new ones.</summary>
public sealed class StatusEventsTests
{
    private const string Path = "/acme-status";
    private const string Name = "status.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_EventStream_HasTheStepsOfAnOrderUntilTheHostStops()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), pipeline: web => web.MapAcmeHttpsStatus());
        await app.ObtainedAsync(Name);
        using var client = new HttpClient();
        using var response = await ListenAsync(client, app);
        var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Cancelled)).EnumerateAsync(Cancelled)
            .GetAsyncEnumerator(Cancelled);
        Assert.True(await events.MoveNextAsync());
        var first = events.Current;

        await app.Certificates.RenewAsync(Name, Cancelled);
        List<string> kinds = [];
        while (kinds.LastOrDefault() != "Renewed" && await events.MoveNextAsync())
        {
            if (events.Current.EventType == SseParser.EventTypeDefault)
            {
                using var json = JsonDocument.Parse(events.Current.Data);
                Assert.Equal(Name, json.RootElement.GetProperty("certificate").GetString());
                var kind = json.RootElement.GetProperty("kind").GetString()!;
                kinds.AddRange(kinds.Count > 0 || kind == "Started" ? [kind] : []);
            }
        }

        var stopped = app.StopAsync(Cancelled);
        while (await events.MoveNextAsync())
        {
            // What came after the renewal.
        }

        await stopped;
        Assert.Equal(("text/event-stream", "heartbeat"), (response.Content.Headers.ContentType?.MediaType, first.EventType));
        Assert.True(kinds.IndexOf("OrderPlaced") < kinds.IndexOf("Finalized"), string.Join(", ", kinds));
        await events.DisposeAsync();
    }

    [Fact]
    public async Task Get_EventStreamOfTooMany_IsTurnedAway()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(), pipeline: web => web.MapAcmeHttpsStatus());
        using var client = new HttpClient();
        List<HttpResponseMessage> listening = [];
        for (var i = 0; i < StatusEvents.MostListeners; i++)
        {
            listening.Add(await ListenAsync(client, app));
        }

        using var refused = await ListenAsync(client, app);
        listening[0].Dispose();
        await Poll.UntilAsync(
            async _ =>
            {
                using var next = await ListenAsync(client, app);
                return next.IsSuccessStatusCode;
            },
            "a free place",
            cancellationToken: Cancelled);

        Assert.All(listening, r => Assert.Equal(HttpStatusCode.OK, r.StatusCode));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        listening.ForEach(r => r.Dispose());
    }

    [Fact]
    public async Task ReadAsync_NothingHappens_BeatsAndEnds()
    {
        var time = new FakeTimeProvider();
        var events = new StatusEvents(new CertificateEventHub(static () => [], time, NullLogger<CertificateEventHub>.Instance), time);
        using var listener = events.TryListen()!;
        await using var read = listener.ReadAsync(Cancelled).GetAsyncEnumerator(Cancelled);
        var beats = 0;

        var next = read.MoveNextAsync();
        while (await next)
        {
            Assert.Equal("heartbeat", read.Current.EventType);
            beats++;
            next = read.MoveNextAsync();
            time.Advance(TimeSpan.FromSeconds(15));
        }

        // Every 15 seconds of 15 minutes, the first and the last one included.
        Assert.Equal(61, beats);
    }

    [Fact]
    public void Publish_ManyLongMessages_KeepsTheLatestAndShortensThem()
    {
        var time = new FakeTimeProvider();
        var hub = new CertificateEventHub(static () => [], time, NullLogger<CertificateEventHub>.Instance);
        var events = new StatusEvents(hub, time);
        using var listener = events.TryListen()!;

        for (var i = 0; i < StatusEvents.MostKept * 2; i++)
        {
            hub.Publish(
                CertificateEventKind.Failed,
                $"{i} {new string('x', 5000)}",
                new CertificateStatus { Id = Name, DomainNames = [Name], State = CertificateState.Waiting });
        }

        var recent = events.Recent();
        Assert.Equal(StatusEvents.MostKept, recent.Length);
        Assert.StartsWith($"{(StatusEvents.MostKept * 2) - 1} x", recent[0].Message, StringComparison.Ordinal);
        Assert.All(recent, e => Assert.True(e.Message.Length <= 501));
        Assert.Equal(100, listener.Unsent.Reader.Count);
    }

    private static async Task<HttpResponseMessage> ListenAsync(HttpClient client, AcmeApp app)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{app.Http}{Path}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
    }
}
