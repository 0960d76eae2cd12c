using System.Buffers.Text;
using System.Security.Cryptography;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Tests.Challenges;

/// <summary>The challenges of one instance, without its server and its orders.</summary>
internal sealed class TestReplica : IAsyncDisposable
{
    public TestReplica(IAcmeStorage storage, TimeProvider time, FakeThumbprints? accounts = null)
    {
        var bounded = BoundedFixture.Around(storage);
        Accounts = accounts ?? new FakeThumbprints();
        Replicas = new Replicas(bounded, time, Log.For<Replicas>());
        Http = new Http01TokenTable(bounded, Accounts, time, Log.For<Http01TokenTable>());
        Tls = new SharedTlsAlpn01Responses(bounded, Accounts, time, Log.For<SharedTlsAlpn01Responses>());
        Feed = new ChallengeFeed(
            [Http.Shared, Tls.Shared], Replicas, bounded, time, Log.For<ChallengeFeed>(),
            new ConfigurationSource(
                () => TestFacts.Snapshot(options =>
                {
                    options.DomainNames = ["app.test"];
                    options.DirectoryUrl = FakeThumbprints.Directory.AbsoluteUri;
                }),
                NullLogger<ConfigurationSource>.Instance));
    }

    public LogRecorder Log { get; } = new();

    public FakeThumbprints Accounts { get; }

    public Replicas Replicas { get; }

    public Http01TokenTable Http { get; }

    public SharedTlsAlpn01Responses Tls { get; }

    public ChallengeFeed Feed { get; }

    public static string NewToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static ChallengeContext Context(string token, string type = "http-01", string name = "app.test") => new()
    {
        ChallengeType = type,
        IdentifierType = "dns",
        Identifier = name,
        Url = new Uri("https://ca.test/challenge/1"),
        Token = token,
        KeyAuthorization = $"{token}.{FakeThumbprints.Ours}",
        AccountUrl = new Uri("https://ca.test/account/1"),
        AccountThumbprint = FakeThumbprints.Ours,
        DirectoryUrl = FakeThumbprints.Directory,
    };

    public async Task<TestReplica> StartAsync(CancellationToken cancellationToken)
    {
        Feed.Start();
        await Feed.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
        return this;
    }

    /// <summary>Orders, as far as an http-01 challenge that is about to be submitted.</summary>
    public async Task OrderAsync(string token, CancellationToken cancellationToken, string name = "app.test")
    {
        var context = Context(token, name: name);
        await Http.AddAsync(token, context.KeyAuthorization!, SharedChallenge.Of(context), cancellationToken);
        await Feed.AwaitAcknowledgmentAsync([context], isFirst: true, cancellationToken);
    }

    /// <summary>Orders, as far as a tls-alpn-01 challenge that is about to be submitted.</summary>
    public async Task OrderTlsAsync(string token, CancellationToken cancellationToken)
    {
        var context = Context(token, "tls-alpn-01");
        await Tls.AddAsync(context, cancellationToken);
        await Feed.AwaitAcknowledgmentAsync([context], isFirst: false, cancellationToken);
    }

    /// <summary>What is returned without a look-up.</summary>
    public async Task<string?> FindAsync(string token) => await Http.FindAsync(token, null, mayLookUp: false, CancellationToken.None);

    public ValueTask DisposeAsync() => Feed.DisposeAsync();
}
