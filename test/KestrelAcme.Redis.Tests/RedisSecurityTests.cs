using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>TLS with a private CA, users with few rights, and passwords that no message shows.</summary>
public sealed partial class RedisSecurityTests
{
    internal const string Password = "pass-word-of-the-store-4711";
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly byte[] Value = Encoding.UTF8.GetBytes("value");

    public RedisSecurityTests() => RedisServer.Require();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnyMember_TlsAndAUserWithTheDocumentedRights_Works()
    {
        using var folder = new TemporaryFolder();
        using var certificate = LoopbackCertificate.Create();
        var root = folder.Write("root.pem", certificate.RootPem);
        await using var server = await RedisServer.StartAsync(
        [
            "--tls-cert-file", folder.Write("server.pem", certificate.CertificatePem),
            "--tls-key-file", folder.Write("server-key.pem", certificate.PrivateKeyPem),
            "--tls-ca-cert-file", root, "--tls-auth-clients", "no",
            "--user", "default", "off", "--user", .. DocumentedUser(),
        ]);
        var options = ConfigurationOptions.Parse($"{server.ConnectionString},ssl=true,user=kestrelacme,password={Password}");
        options.TrustIssuer(root);
        await using var trusting = new RedisStorage(
            RedisConnection.Own(options, TimeProvider.System), new RedisStorageOptions(), TimeProvider.System);
        await UseEverythingAsync(trusting);

        var stranger = RedisConnection.Own(
            ConfigurationOptions.Parse($"{server.ConnectionString},{RedisServer.Impatient},ssl=true,user=kestrelacme,password={Password}"),
            TimeProvider.System);
        await using var distrusting = new RedisStorage(stranger, new RedisStorageOptions(), TimeProvider.System);
        var failure = await FailAsync(async () => await distrusting.ReadAsync("a", Token), "TLS", time: null);
        AssertHidden(failure.ToString());
    }

    [Fact]
    public async Task AnyMember_UserWithTheDocumentedRights_IsDeniedNothingThatIsNeeded()
    {
        await using var server = await RedisServer.StartAsync(["--user", .. DocumentedUser()]);
        await using var fixture = new RedisFixture(server);
        await UseEverythingAsync(fixture.OpenRedis($"user=kestrelacme,password={Password}"));

        // What StackExchange.Redis tries by itself and does without.
        string[] denied = ["__Booksleeve_MasterChanged", "cluster|nodes", "cluster|slots", "cluster|shards"];
        var log = (RedisResult[])(await server.RunAsync("ACL", "LOG"))!;
        Assert.Empty(log.Select(entry => (string)entry.ToDictionary()["object"]!).Except(denied));
    }

    [Fact]
    public async Task CheckAsync_NoRightToPublish_IsNotWritable()
    {
        await using var server = await RedisServer.StartAsync(["--user", .. DocumentedUser()]);
        await server.RunAsync("ACL", "SETUSER", "kestrelacme", "resetchannels");
        await using var fixture = new RedisFixture(server);
        var health = await fixture.OpenRedis($"user=kestrelacme,password={Password}").CheckAsync(Token);
        Assert.Equal((true, false), (health.Readable, health.Writable));
        Assert.True(health.Explanation!.Contains("denies the user", StringComparison.Ordinal), health.Explanation);
    }

    [Fact]
    public async Task AnyMember_WrongPassword_SaysSoAndShowsNoPassword()
    {
        const string Refused = "refuses the user or the password|asks for a password";
        await using var server = await RedisServer.StartAsync(
            ["--user", "default", "on", ">right-password", "~*", "&*", "+@all"], "right-password");
        await using var fixture = new RedisFixture(server) { Text = RedisServer.Impatient };
        foreach (var storage in new[] { fixture.OpenRedis($"password={Password}"), fixture.OpenRedis() })
        {
            var failures = new List<Exception>
            {
                await FailAsync(async () => await storage.ReadAsync("a", Token), Refused, fixture.Time),
                await FailAsync(async () => await storage.WriteAsync("a", Value, cancellationToken: Token), Refused, fixture.Time),
                await FailAsync(async () => await storage.TryAcquireLeaseAsync("a", Minute, Token), Refused, fixture.Time),
            };
            var health = await storage.CheckAsync(Token);
            Assert.Equal((false, false), (health.Readable, health.Writable));
            Assert.Matches(Refused, health.Explanation!);
            Assert.All(
                [health.Explanation!, .. failures.Select(failure => failure.Message)],
                text => Assert.Contains($"Redis at 127.0.0.1:{server.Port}", text, StringComparison.Ordinal));
            Assert.All([health.ToString(), .. failures.Select(failure => failure.ToString())], AssertHidden);
        }
    }

    [Fact]
    public async Task ReadAsync_ServerComesWithAnotherPasswordAndGoes_SaysWhatIsTheCaseNow()
    {
        await using var server = await RedisServer.StartAsync(
            ["--user", "default", "on", ">right-password", "~*", "&*", "+@all"], "right-password");
        await using var fixture = new RedisFixture(server) { Text = RedisServer.Impatient };
        var storage = fixture.OpenRedis($"password={Password}");
        string[] expected = ["could not be reached", "refuses the user or the password", "could not be reached"];
        for (var i = 0; i < expected.Length; i++)
        {
            await (i == 1 ? server.StartAgainAsync() : server.KillAsync());
            await FailAsync(async () => await storage.ReadAsync("a", Token), expected[i], fixture.Time);
        }
    }

    [Fact]
    public async Task AnyMember_AppsConnectionWithAPassword_ShowsNoPassword()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(
            $"127.0.0.1:{FreePort.Tcp()},password={Password},abortConnect=false,connectTimeout=500,syncTimeout=500,asyncTimeout=500");
        await using var storage = new RedisStorage(
            RedisConnection.Borrow(() => connection, TimeProvider.System), new RedisStorageOptions(), TimeProvider.System);
        AssertHidden((await FailAsync(async () => await storage.ReadAsync("a", Token))).ToString());
        AssertHidden((await storage.CheckAsync(Token)).ToString());
    }

    [Fact]
    public async Task AnyMember_ClusterWithoutSlots_SaysThatItDoesNotWork()
    {
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{FreePort.Tcp()}");
        await using var fixture = new RedisFixture(server) { Text = RedisServer.Impatient };
        var storage = fixture.Open();
        await FailAsync(async () => await storage.WriteAsync("a", Value, cancellationToken: Token), "(?i)cluster", fixture.Time);
    }

    [Fact]
    public async Task AnyMember_DatabaseOtherThanTheDefault_IsSeparate()
    {
        await using var server = await RedisServer.StartAsync();
        await using var fixture = new RedisFixture(server);
        var zero = fixture.OpenRedis();
        var three = fixture.OpenRedis(settings: new() { Database = 3 });
        var prefixed = fixture.OpenRedis(settings: new() { KeyPrefix = "other" });
        await using var changes = zero.WatchAsync("", Token).GetAsyncEnumerator(Token);
        Assert.True(await changes.MoveNextAsync());
        await three.WriteAsync("a", Value, cancellationToken: Token);
        await prefixed.WriteAsync("a", Value, cancellationToken: Token);
        await zero.WriteAsync("b", Value, cancellationToken: Token);

        Assert.True(await changes.MoveNextAsync());
        Assert.Equal("b", changes.Current.Key);
        Assert.Null(await zero.ReadAsync("a", Token));
        Assert.Equal(["a"], await fixture.OpenRedis("defaultDatabase=3").ListAsync("", Token).ToListAsync(Token));
    }

    internal static async Task UseEverythingAsync(RedisStorage storage)
    {
        var health = await storage.CheckAsync(Token);
        Assert.True(health is { Readable: true, Writable: true, Durable: true, Explanation: null }, health.ToString());
        await using var changes = storage.WatchAsync("a/", Token).GetAsyncEnumerator(Token);
        Assert.True(await changes.MoveNextAsync());
        var lease = await storage.TryAcquireLeaseAsync("orders/a", Minute, Token);
        Assert.NotNull(lease);
        await storage.WriteAsync("a/b", Value, lease, Token);

        // The nodes of a cluster pass on late what an earlier test has changed. If a message is missing between two, everything is reported
        // instead, which includes this change.
        do
        {
            Assert.True(await changes.MoveNextAsync().AsTask().WaitAsync(Minute, TimeProvider.System, Token));
        }
        while (changes.Current.Key is not null and not "a/b");

        Assert.True(await lease.RenewAsync(Token));
        Assert.Equal(["a/b"], await storage.ListAsync("a/", Token).ToListAsync(Token));
        Assert.Single(await storage.ReadManyAsync(["a/b", "a/c"], Token).ToListAsync(Token));
        Assert.NotNull(await storage.ReadAsync("a/b", Token));
        Assert.True(await storage.DeleteAsync("a/b", lease, Token));
        await lease.DisposeAsync();
        Assert.NotNull(await storage.TryAcquireLeaseAsync("orders/a", Minute, Token));
    }

    private static async Task<Exception> FailAsync(Func<Task> action) => await Assert.ThrowsAsync<StorageUnavailableException>(action);

    // On a busy machine, an operation may end before the server has responded with the reason, and the next ones repeat it for a while.
    private static async Task<Exception> FailAsync(Func<Task> action, string says, FakeTimeProvider? time)
    {
        Exception? failure = null;
        await Poll.UntilAsync(
            async _ =>
            {
                failure = await FailAsync(action);
                time?.Advance(Minute);
                return Regex.IsMatch(failure.Message, says);
            },
            () => $"a failure that says '{says}'; the last one said '{failure?.Message}'",
            cancellationToken: Token);
        return failure!;
    }

    private static void AssertHidden(string text) => Assert.DoesNotContain(Password, text, StringComparison.Ordinal);

    // The documentation is what is tested.
    internal static string[] DocumentedUser()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent!;
        }

        var line = UserLine().Match(File.ReadAllText(Path.Combine(folder.FullName, "docs", "storage.md")));
        Assert.True(line.Success, "docs/storage.md lists the rights of a user of Redis.");
        return [.. line.Groups["rule"].Captures.Select(rule => rule.Value.Replace("PASSWORD", Password, StringComparison.Ordinal))];
    }

    [GeneratedRegex(@"^user(?: (?<rule>\S+))+$", RegexOptions.Multiline)]
    private static partial Regex UserLine();
}
