using KestrelAcme.Challenges.Dns01;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>The contract tests that every provider must pass.</summary>
public abstract class DnsProviderContract : IAsyncLifetime
{
    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The zone of the test's server.</summary>
    protected virtual string Zone => "example.test";

    /// <summary>The name of the challenge. CNAMEs may lead from it to the record.</summary>
    protected virtual string ChallengeName => $"_acme-challenge.{Zone}";

    /// <summary>Whether values can be deleted.</summary>
    protected virtual bool Deletes => true;

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Create_TwoValues_CoexistAndEachIsDeletedByItself()
    {
        var provider = CreateProvider();
        var (one, two) = (Record("value-one"), Record("value-two"));

        await provider.CreateTxtAsync(one, Cancelled);
        await provider.CreateTxtAsync(two, Cancelled);
        Assert.Equal(["value-one", "value-two"], await ValuesAsync());

        await provider.DeleteTxtAsync(one, Cancelled);
        Assert.Equal(Deletes ? ["value-two"] : ["value-one", "value-two"], await ValuesAsync());
        await provider.DeleteTxtAsync(two, Cancelled);
        Assert.Equal(Deletes ? [] : ["value-one", "value-two"], await ValuesAsync());
    }

    [Fact]
    public async Task Create_Twice_Succeeds()
    {
        var provider = CreateProvider();

        await provider.CreateTxtAsync(Record("value"), Cancelled);
        await provider.CreateTxtAsync(Record("value"), Cancelled);

        Assert.Equal(["value"], (await ValuesAsync()).Distinct());
    }

    [Fact]
    public async Task Delete_Missing_Succeeds()
    {
        var provider = CreateProvider();
        await provider.DeleteTxtAsync(Record("never-there"), Cancelled);
        await provider.CreateTxtAsync(Record("value"), Cancelled);

        await provider.DeleteTxtAsync(Record("never-there"), Cancelled);

        Assert.Equal(["value"], await ValuesAsync());
    }

    [Fact]
    public async Task Create_Cancelled_Throws()
        => await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => CreateProvider().CreateTxtAsync(Record("value"), new CancellationToken(canceled: true)));

    [Fact]
    public async Task Create_WrongCredentials_SaysSoWithServerAndZoneAndNoSecret()
    {
        if (CreateProvider(goodCredentials: false) is not { } provider)
        {
            return; // It has none.
        }

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Record("value"), Cancelled));

        Assert.Equal(DnsProviderFault.Unauthorized, exception.Fault);
        Assert.Contains(ServerText, exception.Message, StringComparison.Ordinal);
        Assert.Contains(Zone, exception.Message, StringComparison.Ordinal);
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, $"{exception} {provider.Description}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Create_UnknownZone_SaysSoWithServerAndZone()
    {
        if (!KnowsItsZones)
        {
            return; // It takes any.
        }

        var record = new DnsTxtRecord
        {
            Zone = "foreign.test",
            Name = "_acme-challenge.foreign.test",
            ChallengeName = "_acme-challenge.foreign.test",
            Value = "value",
        };

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => CreateProvider().CreateTxtAsync(record, Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Contains(ServerText, exception.Message, StringComparison.Ordinal);
        Assert.Contains("foreign.test", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The name of the server in messages.</summary>
    protected abstract string ServerText { get; }

    /// <summary>A secret that no message may contain.</summary>
    protected virtual IEnumerable<string> Secrets => [];

    /// <summary>Whether the provider rejects zones that it does not have.</summary>
    protected virtual bool KnowsItsZones => true;

    /// <summary>
    /// Creates a provider for the test's server; <see langword="null"/> if the provider has no credentials that could be wrong.
    /// </summary>
    internal abstract IDnsProvider? CreateProvider(bool goodCredentials);

    /// <summary>Returns the values at <see cref="RecordName"/>, in order.</summary>
    protected abstract Task<IReadOnlyList<string>> ValuesAsync();

    /// <summary>The name of the record after all CNAMEs.</summary>
    protected virtual string RecordName => ChallengeName;

    private IDnsProvider CreateProvider() => CreateProvider(goodCredentials: true)!;

    private DnsTxtRecord Record(string value) => new() { Zone = Zone, Name = RecordName, ChallengeName = ChallengeName, Value = value };
}
