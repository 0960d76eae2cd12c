using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Uses a stub that follows the API's documentation.</summary>
public sealed class AcmeDnsContractTests : DnsProviderContract
{
    private readonly AcmeDnsStub _stub = new();
    private readonly InMemoryStorage _storage = new();
    private readonly LogRecorder _log = new();
    private StubApi? _api;

    private StubApi Api => _api ?? throw new InvalidOperationException("Not started.");

    protected override string ServerText => Api.Url.Authority;

    protected override string RecordName => "sub-0.auth.test";

    protected override bool Deletes => false;

    // acme-dns has only one zone.
    protected override bool KnowsItsZones => false;

    protected override IEnumerable<string> Secrets => [_stub.FirstKey!];

    public override async ValueTask InitializeAsync() => _api = await StubApi.StartAsync(_stub.Map, Cancelled);

    public override ValueTask DisposeAsync() => Api.DisposeAsync();

    [Fact]
    public async Task Create_WithoutCname_RegistersOnceAndPrintsTheCname()
    {
        var record = new DnsTxtRecord { Zone = "example.test", Name = ChallengeName, ChallengeName = ChallengeName, Value = "value" };

        var first = await Assert.ThrowsAsync<DnsProviderException>(
            () => CreateProvider(goodCredentials: true).CreateTxtAsync(record, Cancelled));
        var second = await Assert.ThrowsAsync<DnsProviderException>(
            () => CreateProvider(goodCredentials: true).CreateTxtAsync(record, Cancelled));

        Assert.Equal(DnsProviderFault.SetUpNeeded, first.Fault);
        Assert.Contains("Create: _acme-challenge.example.test. CNAME sub-0.auth.test.", first.Message, StringComparison.Ordinal);
        Assert.Equal(first.Message, second.Message);
        Assert.Single(_stub.Values);
        Assert.Contains(
            "_acme-challenge.example.test. CNAME sub-0.auth.test.",
            Assert.Single(_log.At(LogLevel.Warning)).Message,
            StringComparison.Ordinal);
        Assert.All(_log.Lines, line => Assert.DoesNotContain(_stub.FirstKey!, line.Message, StringComparison.Ordinal));
    }

    internal override IDnsProvider CreateProvider(bool goodCredentials)
    {
        _stub.HasForgotten = !goodCredentials;
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(_log));
        return new AcmeDnsProvider(
            ProviderSettings.Of(new AcmeDnsOptions { ServerUrl = Api.Url.ToString() }, AcmeDnsOptions.ProviderType),
            BoundedFixture.Around(_storage),
            TimeProvider.System,
            factory.CreateLogger<AcmeDnsProvider>());
    }

    protected override Task<IReadOnlyList<string>> ValuesAsync()
        => Task.FromResult<IReadOnlyList<string>>([.. _stub.Values.GetValueOrDefault("sub-0", []).Order(StringComparer.Ordinal)]);
}
