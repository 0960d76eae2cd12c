using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd.Crash;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>An order as the tracing of an application sees it.</summary>
public sealed class OrderActivitiesTests
{
    [Fact]
    public async Task Order_Obtained_IsOneActivityWithEveryStepBelow()
    {
        const string name = "traced.test";
        using var trace = new Trace();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(name);

        var order = await trace.OrderAsync(name);
        var steps = trace.StepsOf(order);

        Assert.Equal(default, order.ParentSpanId);
        Assert.Equal("obtained", order.GetTagItem("acme.order.outcome"));
        Assert.Equal(fixture.Authority.DirectoryUrl.OriginalString, order.GetTagItem("acme.directory.url"));
        Assert.Equal(ActivityStatusCode.Unset, order.Status);
        Assert.Equal(Enum.GetValues<OrderStep>().Select(OrderSteps.ActivityOf), steps.Select(s => s.OperationName));
        Assert.All(steps, step => Assert.Equal((order.SpanId, ActivityStatusCode.Unset), (step.ParentSpanId, step.Status)));
        var challenge = steps.Single(s => s.OperationName == OrderActivities.SubmitChallenge);
        Assert.Equal(("http-01", name), (challenge.GetTagItem("acme.challenge.type"), challenge.GetTagItem("acme.identifier")));
        Assert.All(
            steps.Append(order),
            activity => Assert.Subset(
                new HashSet<string>(StringComparer.Ordinal)
                {
                    "acme.certificate.id", "acme.directory.url", "acme.order.outcome", "acme.challenge.type", "acme.identifier",
                },
                activity.TagObjects.Select(t => t.Key).ToHashSet(StringComparer.Ordinal)));
        Assert.All(steps.Append(order), activity => Assert.Empty(activity.Events));
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder && r.StatusCode != 201);
    }

    [Fact]
    public async Task Order_NameLeadsElsewhere_ShowsTheStepThatFailedAndWhy()
    {
        const string name = "failing.test";
        using var trace = new Trace();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(name), pipeline: _ => fixture.Authority.Resolve(name, new(IPAddress.Loopback, FreePort.Tcp())));

        var order = await trace.OrderAsync(name);
        var failed = trace.StepsOf(order).Where(s => s.Status == ActivityStatusCode.Error).Select(s => s.OperationName);

        Assert.Equal([OrderActivities.PollAuthorization], failed);
        Assert.Equal("failed", order.GetTagItem("acme.order.outcome"));
        Assert.StartsWith("urn:ietf:params:acme:error:", (string?)order.GetTagItem("error.type"), StringComparison.Ordinal);
        Assert.Equal(ActivityStatusCode.Error, order.Status);

        // What the doctor finds afterwards is appended.
        Assert.StartsWith(order.StatusDescription!, app.Certificates.Find(name)?.Failure?.Message, StringComparison.Ordinal);
        Assert.NotEqual("", order.StatusDescription);
    }

    [Fact]
    public void Start_NobodyListens_AllocatesNothing()
    {
        var url = new Uri("https://ca.test/dir");
        Attempt();

        // Another test may listen for a while: without one, no round allocates.
        var least = long.MaxValue;
        for (var round = 0; round < 1000 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Attempt();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);

        void Attempt()
        {
            using var order = OrderActivities.StartOrder("a.test", url);
            using var step = OrderActivities.StartStep(OrderActivities.SubmitChallenge, "http-01", "a.test");
            step.Done();
            order.SetOutcome("obtained");
        }
    }

    /// <summary>Collects what ends, in its order.</summary>
    private sealed class Trace : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _ended = new();
        private readonly ActivityListener _listener;

        public Trace()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == OrderActivities.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = _ended.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        /// <summary>Waits until the attempt for a certificate has ended.</summary>
        public async Task<Activity> OrderAsync(string certificateId)
        {
            Activity? order = null;
            await Poll.UntilAsync(
                () => (order = _ended.FirstOrDefault(
                    a => a.OperationName == OrderActivities.Order
                        && (string?)a.GetTagItem("acme.certificate.id") == certificateId)) is not null,
                $"the end of the order for {certificateId}",
                cancellationToken: TestContext.Current.CancellationToken);
            return order!;
        }

        public IReadOnlyList<Activity> StepsOf(Activity order) => [.. _ended.Where(a => a != order && a.TraceId == order.TraceId)];

        public void Dispose() => _listener.Dispose();
    }
}
