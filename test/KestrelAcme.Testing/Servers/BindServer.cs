using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// BIND, authoritative for a few zones that accept RFC 2136 updates signed with a TSIG key. Primary and secondary listen on the same
/// port of different loopback addresses, which are the addresses of ns1 and ns2 in the zones: with the port, every server can be found
/// through DNS alone.
/// </summary>
public sealed class BindServer : IAsyncDisposable
{
    private readonly BindOptions _options;
    private readonly NamedProcess _primary;
    private readonly NamedProcess? _secondary;
    private readonly DnsRelay? _relay;

    private BindServer(BindOptions options)
    {
        var control = CreateSecret();
        _options = options;
        _primary = new NamedProcess(new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp()), control);
        if (options.HasSecondary)
        {
            // named listens only on addresses of an interface, which in 127.0.0.0/8 is only the first: a relay uses the second.
            _secondary = new NamedProcess(new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp()), control);
            _relay = new DnsRelay(new IPEndPoint(IPAddress.Parse("127.0.0.2"), _primary.Address.Port), _secondary.Address);
        }
    }

    /// <summary>The endpoint of the primary, over UDP and TCP.</summary>
    public IPEndPoint Address => _primary.Address;

    /// <summary>The endpoint of the secondary.</summary>
    public IPEndPoint SecondaryAddress => Relay.Address;

    /// <summary>Whether the secondary leaves all queries unanswered, like a server behind a broken network.</summary>
    public bool SecondaryIsSilent
    {
        get => Relay.IsSilent;
        set => Relay.IsSilent = value;
    }

    /// <summary>How many queries the secondary was asked.</summary>
    public int SecondaryQueries => Relay.Queries;

    /// <summary>The name of the key that must sign updates.</summary>
    public string TsigKeyName { get; } = "acme-update";

    /// <summary>The secret of that key, base64.</summary>
    public string TsigSecret { get; } = CreateSecret();

    /// <summary>The name of a key that the server knows but that may change nothing.</summary>
    public string OtherTsigKeyName { get; } = "acme-other";

    /// <summary>The secret of that key, base64.</summary>
    public string OtherTsigSecret { get; } = CreateSecret();

    /// <summary>The algorithm of both keys.</summary>
    public string TsigAlgorithm => _options.TsigAlgorithm;

    /// <summary>The output of the primary.</summary>
    public string Output => _primary.Output;

    private DnsRelay Relay => _relay ?? throw new InvalidOperationException("Started without a secondary.");

    /// <summary>Starts BIND; skips the running test if it is not installed.</summary>
    public static Task<BindServer> StartAsync(BindOptions? options = null, CancellationToken cancellationToken = default)
    {
        RequireServer.Installed("named", "bind9");
        RequireServer.Installed("dig", "bind9-dnsutils");
        return StartAttempts.RunAsync(() => StartOnceAsync(options ?? new BindOptions(), cancellationToken));
    }

    /// <summary>Makes the secondary copy <paramref name="zone"/>, and waits until it has at least the primary's current serial.</summary>
    public async Task TransferAsync(string zone, CancellationToken cancellationToken = default)
    {
        var secondary = _secondary ?? throw new InvalidOperationException("Started without a secondary.");
        var serial = await SerialAsync(Address, zone, cancellationToken);
        await secondary.ControlAsync(["retransfer", zone], cancellationToken);
        await Poll.UntilAsync(
            async token => await SerialAsync(secondary.Address, zone, token) >= serial,
            $"the secondary to copy {zone}",
            cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_relay is not null && _secondary is not null)
        {
            await _relay.DisposeAsync();
            await _secondary.DisposeAsync();
        }

        await _primary.DisposeAsync();
    }

    private static async Task<BindServer> StartOnceAsync(BindOptions options, CancellationToken cancellationToken)
    {
        var server = new BindServer(options);
        try
        {
            await server.LaunchAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    // "ns1.example.test. hostmaster.example.test. SERIAL 86400 ..."
    private static async Task<uint> SerialAsync(IPEndPoint server, string zone, CancellationToken cancellationToken)
        => uint.Parse((await Dig.QueryAsync(server, zone, "SOA", cancellationToken))[0].Split(' ')[2], CultureInfo.InvariantCulture);

    private static string CreateSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        var last = _options.Zones[^1].Name;
        var key = $$"""
            key "{{TsigKeyName}}" { algorithm {{TsigAlgorithm}}; secret "{{TsigSecret}}"; };
            key "{{OtherTsigKeyName}}" { algorithm {{TsigAlgorithm}}; secret "{{OtherTsigSecret}}"; };
            """;
        await _primary.StartAsync(last, key + "\n" + string.Join('\n', _options.Zones.Select(DescribePrimary)), cancellationToken);
        if (_secondary is not null)
        {
            await _secondary.StartAsync(last, string.Join('\n', _options.Zones.Select(DescribeSecondary)), cancellationToken);
            _relay!.Start();
        }
    }

    private string DescribePrimary(BindZone zone)
    {
        string[] second = _secondary is null ? [] : ["@ IN NS ns2", $"ns2 IN A {SecondaryAddress.Address}"];
        string[] lines =
        [
            $"$ORIGIN {zone.Name}.", "$TTL 5", "@ IN SOA ns1 hostmaster 1 86400 86400 864000 5",
            "@ IN NS ns1", $"ns1 IN A {_primary.Address.Address}", .. second, .. zone.Records,
        ];
        var file = _primary.WriteFile($"{zone.Name}.zone", string.Join('\n', lines) + "\n");
        return $$"""
            zone "{{zone.Name}}" { type primary; file "{{file}}"; allow-update { key "{{TsigKeyName}}"; }; {{zone.Statements}} };
            """;
    }

    private string DescribeSecondary(BindZone zone) => $$"""
        zone "{{zone.Name}}" {
          type secondary; file "{{_secondary!.PathOf(zone.Name + ".copy")}}"; allow-notify { none; }; min-refresh-time 86400;
          primaries { {{_primary.Address.Address}} port {{_primary.Address.Port}}; };
        };
        """;
}
