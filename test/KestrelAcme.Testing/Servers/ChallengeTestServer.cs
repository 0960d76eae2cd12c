using System.Net.Http.Json;
using System.Text.Json;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// pebble-challtestsrv as a DNS server. Every name has the address 127.0.0.1 (and no AAAA) unless configured otherwise. Names can be
/// given with or without a trailing dot.
/// </summary>
public sealed class ChallengeTestServer : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly HttpClient _management;

    private ChallengeTestServer(ChildProcess process, HttpClient management, int port) =>
        (_process, _management, DnsPort) = (process, management, port);

    /// <summary>The DNS port on 127.0.0.1, over UDP and TCP.</summary>
    public int DnsPort { get; }

    /// <summary>Starts a server on free ports.</summary>
    public static Task<ChallengeTestServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var executable = RequireServer.Installed("pebble-challtestsrv", "pebble");
        return StartAttempts.RunAsync(() => StartOnceAsync(executable, cancellationToken));
    }

    /// <summary>Makes <paramref name="name"/> resolve to <paramref name="addresses"/> (IPv4) instead of 127.0.0.1.</summary>
    public async Task SetAddressesAsync(string name, string[] addresses, CancellationToken cancellationToken = default)
    {
        await PostAsync("clear-a", new { host = Absolute(name) }, cancellationToken);
        await PostAsync("add-a", new { host = Absolute(name), addresses }, cancellationToken);
    }

    /// <summary>Adds a TXT value to <paramref name="name"/>, which may have several.</summary>
    public Task AddTxtAsync(string name, string value, CancellationToken cancellationToken = default) =>
        PostAsync("set-txt", new { host = Absolute(name), value }, cancellationToken);

    /// <summary>Removes all TXT values of <paramref name="name"/>.</summary>
    public Task ClearTxtAsync(string name, CancellationToken cancellationToken = default) =>
        PostAsync("clear-txt", new { host = Absolute(name) }, cancellationToken);

    /// <summary>Makes <paramref name="name"/> an alias.</summary>
    public Task SetCnameAsync(string name, string target, CancellationToken cancellationToken = default) =>
        PostAsync("set-cname", new { host = Absolute(name), target = Absolute(target) }, cancellationToken);

    /// <summary>Makes all queries for <paramref name="name"/> fail with SERVFAIL, or stops doing so.</summary>
    public Task SetServerFailureAsync(string name, bool fails, CancellationToken cancellationToken = default) =>
        PostAsync(fails ? "set-servfail" : "clear-servfail", new { host = Absolute(name) }, cancellationToken);

    /// <summary>The DNS queries for <paramref name="name"/> so far, in the server's own JSON.</summary>
    public async Task<JsonElement> GetQueriesAsync(string name, CancellationToken cancellationToken = default)
    {
        // Unlike the rest of its API, the history is kept by name without the trailing dot.
        using var response = await _management.PostAsJsonAsync("dns-request-history", new { host = name.TrimEnd('.') }, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _management.Dispose();
    }

    private static async Task<ChallengeTestServer> StartOnceAsync(string executable, CancellationToken cancellationToken)
    {
        var (dns, management) = (FreePort.TcpAndUdp(), FreePort.Tcp());
        var process = ChildProcess.Start(executable,
        [
            "-dns01", $"127.0.0.1:{dns}", "-management", $"127.0.0.1:{management}",
            "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
        ]);
        var client =
            new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{management}/") };
        var server = new ChallengeTestServer(process, client, dns);
        try
        {
            await StartAttempts.UntilAnswersAsync(process, async token => await server.AnswersAsync(token), cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static string Absolute(string name) => name.EndsWith('.') ? name : name + ".";

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        await PostAsync("clear-txt", new { host = "start.invalid." }, cancellationToken);
        return true;
    }

    private async Task PostAsync(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await _management.PostAsJsonAsync(path, body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
