using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Uses Debian's pdns-server.</summary>
public sealed class PowerDnsContractTests : DnsProviderContract
{
    private PowerDnsServer? _server;

    private PowerDnsServer Server => _server ?? throw new InvalidOperationException("Not started.");

    protected override string ServerText => Server.ApiUrl.Authority;

    protected override IEnumerable<string> Secrets => [Server.ApiKey, "wrong-key"];

    public override async ValueTask InitializeAsync() => _server = await PowerDnsServer.StartAsync(["example.test"], Cancelled);

    public override ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    internal override IDnsProvider CreateProvider(bool goodCredentials) => new PowerDnsProvider(
        ProviderSettings.Of(
            new PowerDnsOptions { ApiUrl = Server.ApiUrl.ToString(), ApiKey = goodCredentials ? Server.ApiKey : "wrong-key" },
            PowerDnsOptions.ProviderType),
        TimeProvider.System);

    protected override async Task<IReadOnlyList<string>> ValuesAsync() => await TxtQuery.AskAsync(Server.Address, RecordName, Cancelled);
}
