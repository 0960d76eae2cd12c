using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Tests.Challenges.Dns01.Contract;

namespace KestrelAcme.Azure.Tests;

/// <summary>Runs the provider contract against a stub with the documented API.</summary>
public sealed class AzureContractTests : DnsProviderContract
{
    private readonly AzureFixture _azure = new();

    protected override string ServerText => _azure.Api.Url.Authority;

    protected override IEnumerable<string> Secrets => [AzureFixture.Token, AzureFixture.WrongToken];

    public override async ValueTask InitializeAsync()
    {
        _azure.Stub.Zones.Add(("rg1", Zone));
        await _azure.StartAsync(Cancelled);
    }

    public override ValueTask DisposeAsync() => _azure.DisposeAsync();

    internal override IDnsProvider CreateProvider(bool goodCredentials) =>
        _azure.CreateProvider(new StaticCredential(goodCredentials ? AzureFixture.Token : AzureFixture.WrongToken));

    protected override Task<IReadOnlyList<string>> ValuesAsync() =>
        Task.FromResult<IReadOnlyList<string>>(_azure.Stub.ValuesOf("example.test/_acme-challenge"));
}
