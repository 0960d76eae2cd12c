using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Uses BIND.</summary>
public sealed class Rfc2136ContractTests : DnsProviderContract
{
    private BindServer? _bind;
    private DnsFixture? _app;

    private BindServer Bind => _bind ?? throw new InvalidOperationException("Not started.");

    protected override string ServerText => Bind.Address.ToString();

    protected override IEnumerable<string> Secrets => [Bind.TsigSecret, WrongSecret];

    private static string WrongSecret => Convert.ToBase64String(new byte[32]);

    public override async ValueTask InitializeAsync()
    {
        _bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        _app = new DnsFixture(BindSettings.For(_bind), _bind.Address.Port);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_app is not null && _bind is not null)
        {
            await _app.DisposeAsync();
            await _bind.DisposeAsync();
        }
    }

    internal override IDnsProvider CreateProvider(bool goodCredentials) => Rfc2136Provider.Create(
        ProviderSettings.Of(
            new Rfc2136Options
            {
                Server = Bind.Address.ToString(),
                TsigKeyName = Bind.TsigKeyName,
                TsigSecret = goodCredentials ? Bind.TsigSecret : WrongSecret,
            },
            Rfc2136Options.ProviderType),
        _app!.Services.GetRequiredService<DnsAccess>());

    protected override async Task<IReadOnlyList<string>> ValuesAsync() => await TxtQuery.AskAsync(Bind.Address, RecordName, Cancelled);
}
