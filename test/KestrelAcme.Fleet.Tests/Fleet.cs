using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>
/// Instances of an app behind a balancer that picks one at random for each connection, with one store and one CA, which reaches them
/// through the balancer alone.
/// </summary>
internal sealed partial class Fleet : IAsyncDisposable
{
    public required FleetAuthority Authority { get; init; }

    public required HaProxyServer Balancer { get; init; }

    public required SharedStore Store { get; init; }

    public required IReadOnlyList<FleetInstance> Instances { get; init; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Creates everything; the instances do not run yet.</summary>
    public static async Task<Fleet> CreateAsync(FleetOptions options)
    {
        var store = await SharedStore.CreateAsync(options.Store);
        var authority = await (options.UsesLocalAuthority
            ? FleetAuthority.StartLocalAsync()
            : FleetAuthority.StartPebbleAsync(options));
        var settings = new Dictionary<string, string?>(store.Settings)
        {
            ["AcmeHttps__DirectoryUrl"] = authority.DirectoryUrl.ToString(),
            ["AcmeHttps__TrustedRootsPath"] = authority.TrustedRootsPath,
            ["AcmeHttps__AcceptTermsOfService"] = "true",
            ["AcmeHttps__EmailAddress"] = "admin@example.com",
            ["AcmeHttps__ChallengeTypes__0"] = options.ChallengeType,
            ["AcmeHttps__SelfCheck"] = "false",
        };
        foreach (var (i, name) in options.Names.Index())
        {
            settings[$"AcmeHttps__DomainNames__{i}"] = name;
        }

        foreach (var (key, value) in options.Settings)
        {
            settings[key] = value;
        }

        var instances = Enumerable.Range(1, options.Size)
            .Select(i => new FleetInstance(i, FreePort.Tcp(), FreePort.Tcp(), settings))
            .ToList();
        var balancer = await HaProxyServer.StartAsync(
            new Dictionary<int, int[]>
            {
                [authority.HttpPort] = [.. instances.Select(i => i.HttpPort)],
                [authority.TlsPort] = [.. instances.Select(i => i.HttpsPort)],
            },
            Token);
        return new Fleet { Authority = authority, Balancer = balancer, Store = store, Instances = instances };
    }

    /// <summary>Creates everything and starts all instances at the same moment.</summary>
    public static async Task<Fleet> StartAsync(FleetOptions options)
    {
        var fleet = await CreateAsync(options);
        foreach (var instance in fleet.Instances)
        {
            instance.Start();
        }

        await Task.WhenAll(fleet.Instances.Select(i => i.ListeningAsync()));
        return fleet;
    }

    /// <summary>Waits until each instance serves a certificate of the CA for each name, all the same.</summary>
    /// <returns>The serial numbers by name.</returns>
    public async Task<Dictionary<string, string>> AllServeAsync(
        IReadOnlyCollection<string> names, IReadOnlyDictionary<string, string>? notThese = null, TimeSpan? timeout = null)
    {
        var serials = new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = "nothing was looked at";
        await Poll.UntilAsync(
            async _ =>
            {
                foreach (var name in names.Except(serials.Keys).ToList())
                {
                    var served = await Task.WhenAll(Instances.Select(i => i.ServedAsync(name)));
                    if (served.Distinct().ToList() is not [{ } serial] || serial == notThese?.GetValueOrDefault(name))
                    {
                        missing = $"{name}: {string.Join(", ", served.Select(s => s ?? "none"))}";
                        return false;
                    }

                    serials[name] = serial;
                }

                return true;
            },
            () => $"all instances to serve all certificates ({missing})\n{Logs()}",
            timeout ?? TimeSpan.FromMinutes(2),
            Token);
        return serials;
    }

    public FleetCounts Count() => Authority.Count();

    /// <summary>
    /// How many instances submitted a challenge before all others had confirmed that they can respond to it, as is documented: on a machine
    /// so busy that this takes seconds, one of them may not respond in time either.
    /// </summary>
    public int CountHasty() => Instances.Count(i => i.AllOutput.Contains("did not confirm within", StringComparison.Ordinal));

    /// <summary>How long after its issuance each instance served each certificate, by the instances' own clocks of one machine.</summary>
    public async Task<IReadOnlyList<TimeSpan>> LagsAsync(IReadOnlyCollection<string> serials)
    {
        var lags = new List<TimeSpan>();
        foreach (var serial in serials)
        {
            var times = new List<DateTime>();

            // A certificate is served a moment before the log says so.
            await Poll.UntilAsync(
                _ =>
                {
                    times = [.. Instances.Select(i => ServedAt(i, serial)).OfType<DateTime>()];
                    return Task.FromResult(times.Count == Instances.Count);
                },
                () => $"{Instances.Count} instances to log that they serve {serial} ({times.Count} did)\n{Logs()}",
                TimeSpan.FromMinutes(1),
                Token);
            lags.AddRange(times.Select(time => time - times.Min()));
        }

        return lags;
    }

    /// <summary>
    /// What failed at the CA and at the balancer, and what the instances wrote of it and lately, for the message of a failure.
    /// </summary>
    public string Logs()
    {
        var logs = Instances.Select(i => (i.Number, Lines: i.AllOutput.Split('\n'))).ToList();
        var failed = FailedName().Matches(string.Join('\n', logs.SelectMany(log => log.Lines)))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);
        var ofFailed = logs.SelectMany(log => log.Lines
            .Where(line => failed.Any(name => line.Contains(name, StringComparison.Ordinal)))
            .Select(line => $"{log.Number}: {line}"));
        var ofCa = Authority.Log.Split('\n').Where(line => line.Contains("INVALID", StringComparison.Ordinal));
        var ofBalancer = Balancer.Output.Split('\n').Where(line => line.EndsWith(" bytes=0", StringComparison.Ordinal));
        var lately = logs.Select(log => $"== instance {log.Number}\n{string.Join('\n', log.Lines.TakeLast(200))}");
        return string.Join('\n', [.. ofCa, .. ofBalancer, .. ofFailed, .. lately]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in Instances)
        {
            await instance.DisposeAsync();
        }

        await Balancer.DisposeAsync();
        await Authority.DisposeAsync();
        await Store.DisposeAsync();
    }

    private static DateTime? ServedAt(FleetInstance instance, string serial)
        => ServingLine().Matches(instance.AllOutput).FirstOrDefault(m => m.Groups["serial"].Value == serial) is { } line
            ? DateTime.Parse(line.Groups["time"].Value, CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex(@"^(?<time>\S+) .*serving certificate (?<serial>[0-9A-F]+)", RegexOptions.Multiline)]
    private static partial Regex ServingLine();

    [GeneratedRegex(@"^\S+ fail: \S+ (?<name>[^ :]+): ", RegexOptions.Multiline)]
    private static partial Regex FailedName();
}

/// <summary>What a fleet is made of.</summary>
internal sealed record FleetOptions(string Store)
{
    public int Size { get; init; } = 5;

    public IReadOnlyList<string> Names { get; init; } = [.. Enumerable.Range(1, 20).Select(i => $"site{i:00}.example.com")];

    public string ChallengeType { get; init; } = "http-01";

    /// <summary>The longest time that the CA takes for a validation, at random.</summary>
    public TimeSpan ValidationSleep { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// Whether the CA is the local authority in place of Pebble, some of whose requests wait for each other forever if there are hundreds
    /// of orders at once.
    /// </summary>
    public bool UsesLocalAuthority { get; init; }

    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();
}

/// <summary>The CA of a fleet.</summary>
internal sealed class FleetAuthority(
    Uri directoryUrl, string trustedRootsPath, int httpPort, int tlsPort, Func<FleetCounts> count, Func<string> log,
    Func<ValueTask> dispose) : IAsyncDisposable
{
    public Uri DirectoryUrl => directoryUrl;

    public string TrustedRootsPath => trustedRootsPath;

    /// <summary>Where it validates http-01.</summary>
    public int HttpPort => httpPort;

    /// <summary>Where it validates tls-alpn-01.</summary>
    public int TlsPort => tlsPort;

    public string Log => log();

    public static async Task<FleetAuthority> StartPebbleAsync(FleetOptions options)
    {
        var pebble = await PebbleServer.StartAsync(
            new PebbleOptions { Sleeps = options.ValidationSleep > TimeSpan.Zero, ValidationSleep = options.ValidationSleep },
            TestContext.Current.CancellationToken);
        return new(
            pebble.DirectoryUrl, pebble.TrustedRootsPath, pebble.HttpPort, pebble.TlsPort, () => FleetCounts.Of(pebble),
            () => pebble.Output, pebble.DisposeAsync);
    }

    public static async Task<FleetAuthority> StartLocalAsync()
    {
        var (http, tls, folder) = (FreePort.Tcp(), FreePort.Tcp(), new TemporaryFolder());
        var local = await LocalAcmeAuthority.StartAsync(static o => o.InMemory = true, TestContext.Current.CancellationToken);
        local.Resolve("*", new IPEndPoint(IPAddress.Loopback, http), new IPEndPoint(IPAddress.Loopback, tls));
        return new(
            local.DirectoryUrl, folder.Write("root.pem", local.RootPem), http, tls, () => FleetCounts.Of(local), static () => "",
            async () =>
            {
                await local.DisposeAsync();
                folder.Dispose();
            });
    }

    public FleetCounts Count() => count();

    public ValueTask DisposeAsync() => dispose();
}

/// <summary>What the CA was asked for, by its own log.</summary>
internal sealed partial record FleetCounts(int Accounts, int Orders, int Certificates, int FailedValidations)
{
    public static FleetCounts Of(PebbleServer pebble)
    {
        var log = pebble.Output;
        return new(AccountLine().Count(log), OrderLine().Count(log), CertificateLine().Count(log), FailureLine().Count(log));
    }

    public static FleetCounts Of(LocalAcmeAuthority authority)
    {
        var requests = authority.Requests;
        int Created(ResourceKind kind) => requests.Count(r => r.Resource == kind && r.StatusCode == 201);
        return new(
            Created(ResourceKind.NewAccount), Created(ResourceKind.NewOrder), authority.Issued.Count,
            authority.Validations.Count(v => v.Problem is not null));
    }

    [GeneratedRegex("There are now [0-9]+ accounts in memory")]
    private static partial Regex AccountLine();

    [GeneratedRegex("There are now [0-9]+ orders in the db")]
    private static partial Regex OrderLine();

    [GeneratedRegex("Issued certificate serial")]
    private static partial Regex CertificateLine();

    [GeneratedRegex("authz .* set INVALID by")]
    private static partial Regex FailureLine();
}
