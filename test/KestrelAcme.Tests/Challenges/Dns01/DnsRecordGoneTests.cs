using System.Collections.Concurrent;
using KestrelAcme.Challenges;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Another program removes a record after it was visible, while the order still waits for its other names.</summary>
public sealed class DnsRecordGoneTests : IAsyncLifetime
{
    private const string Record = "_acme-challenge.example.test";

    private readonly FakeTimeProvider _time = new();
    private readonly HostileDnsServer _server = new(DnsHostility.None);
    private readonly RecordingProvider _provider;
    private readonly DnsFixture _app;

    public DnsRecordGoneTests()
    {
        _provider = new RecordingProvider(record => _server.Texts.GetOrAdd(record.Name, _ => []).Add(record.Value));
        _app = new DnsFixture(
            new Dictionary<string, string?>(),
            _server.Address.Port,
            acme: acme => acme.AddDnsProvider("Recording", _ => _provider),
            time: _time,
            endPointOf: _ => _server.Address);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Confirm_RecordIsGone_IsCreatedAgain()
    {
        var challenge = await VisibleAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        _server.Texts[Record] = ["a value of the other program"];

        await RunAsync(Confirmed.ConfirmAsync(challenge, Cancelled));

        Assert.Equal(2, _provider.Created.Count);
        Assert.Contains(DnsFixture.ValueOf(challenge), _server.Texts[Record]);
        var warning = Assert.Single(_app.Log.At(LogLevel.Warning));
        Assert.Equal("DnsRecordGone", warning.Event.Name);
        // The clock may advance further before the test sees that the record is visible.
        Assert.Matches(@"[3-9]\d s later it is gone", warning.Message);

        await RunAsync(_app.Handler.CleanUpAsync(challenge, Cancelled));
    }

    [Fact]
    public async Task Confirm_RecordIsThere_IsLeftAlone()
    {
        var challenge = await VisibleAsync();
        _time.Advance(TimeSpan.FromSeconds(30));

        await RunAsync(Confirmed.ConfirmAsync(challenge, Cancelled));

        Assert.Single(_provider.Created);
        Assert.Empty(_app.Log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task Confirm_JustSeen_QueriesNothing()
    {
        var challenge = await VisibleAsync();
        var asked = _server.Questions;

        await Confirmed.ConfirmAsync(challenge, Cancelled);

        Assert.Equal(asked, _server.Questions);
    }

    [Fact]
    public async Task Confirm_ServerIsSilent_CreatesNothing()
    {
        var challenge = await VisibleAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        _server.Silence();

        await RunAsync(Confirmed.ConfirmAsync(challenge, Cancelled));

        Assert.Single(_provider.Created);
    }

    [Fact]
    public async Task Order_AllVisible_EachIsConfirmedBeforeSubmission()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var handler = new NotingHandler(() => fixture.Authority.Requests.Count(request => request.Resource == ResourceKind.Challenge));
        await using var app = await fixture.StartAppAsync(
            fixture.Settings().AddGroup("a.test", "b.test"),
            acme => acme.Services.AddSingleton<IChallengeHandler>(handler),
            QuickIssuance.Apply);

        await Poll.UntilAsync(
            () => handler.Notes.Count >= 6 && fixture.PostedChallenges > 0, $"a post\n{app.Log}", cancellationToken: Cancelled);

        Assert.Equal(["visible", "visible", "confirmed, 0 posted", "confirmed, 0 posted"], handler.Notes.Skip(2).Take(4));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _server.DisposeAsync();
    }

    private IConfirmedChallengeHandler Confirmed => (IConfirmedChallengeHandler)_app.Handler;

    private async Task<ChallengeContext> VisibleAsync()
    {
        var challenge = DnsFixture.Challenge("example.test", "one");
        await RunAsync(_app.Handler.PrepareAsync(challenge, Cancelled));
        await RunAsync(_app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));
        return challenge;
    }

    private Task RunAsync(Task task)
        => _time.RunUntilCompleteAsync(task, TimeSpan.FromMinutes(6), TimeSpan.FromMilliseconds(100), Cancelled);

    private sealed class NotingHandler(Func<int> posted) : IChallengeHandler, IConfirmedChallengeHandler
    {
        public ConcurrentQueue<string> Notes { get; } = new();

        public string ChallengeType => "http-01";

        public bool CanHandle(string identifierType, string value, bool wildcard) => true;

        public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken) => NoteAsync("prepared");

        public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => NoteAsync("visible");

        public Task ConfirmAsync(ChallengeContext context, CancellationToken cancellationToken)
            => NoteAsync($"confirmed, {posted()} posted");

        public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

        private Task NoteAsync(string note)
        {
            Notes.Enqueue(note);
            return Task.CompletedTask;
        }
    }
}
