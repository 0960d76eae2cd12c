using System.Text;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Domains;

public sealed class DomainStoreTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly InMemoryStorage _storage;
    private readonly DomainStore _store;

    public DomainStoreTests()
    {
        _storage = new InMemoryStorage(_time);
        _store = new DomainStore(new BoundedStorage(_storage, TimeSpan.FromSeconds(10), _time), _log.For<DomainStore>());
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("s3cret of another file\nfail: forged")]
    [InlineData("s3cret.example.com")]
    [InlineData("")]
    public async Task ListAsync_ValueThatIsNotTheNameOfItsKey_IsLeftOutAndNotQuoted(string value)
    {
        await _store.AddAsync(DomainNameParser.Parse("good.example.com").Identifier!, Cancelled);
        await _storage.WriteAsync("domains/evil.example.com", Encoding.UTF8.GetBytes(value), null, Cancelled);

        Assert.Equal([DomainNameParser.Parse("good.example.com").Identifier!], await _store.ListAsync(Cancelled));
        Assert.Contains(
            _log.Lines,
            line => line.Event.Name == "ValueUnreadable" && line.Message.Contains("domains/evil.example.com", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Lines, line => line.ToString().Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ListAsync_ThousandsOfUnreadableValues_AreAFewLinesAndTheirNumber()
    {
        for (var i = 0; i < 3000; i++)
        {
            await _storage.WriteAsync($"domains/host{i}.example.com", "-"u8.ToArray(), null, Cancelled);
        }

        await _storage.WriteAsync("domains/-bad", "-"u8.ToArray(), null, Cancelled);
        for (var i = 0; i < 500; i++)
        {
            await _storage.WriteAsync($"domains/-bad{i}", "-"u8.ToArray(), null, Cancelled);
        }

        await _store.ListAsync(Cancelled);

        Assert.InRange(_log.Lines.Count, 1, 20);
        Assert.Contains(
            _log.Lines, line => line.Event.Name == "MoreValuesUnreadable" && line.Message.Contains("501", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ListAsync_ValueOfMegabytes_IsOneShortLine()
    {
        await _storage.WriteAsync("domains/evil.example.com", new byte[1_000_000], null, Cancelled);

        Assert.Empty(await _store.ListAsync(Cancelled));
        Assert.True(_log.Lines.Sum(line => line.Message.Length) < 1000);
    }
}
