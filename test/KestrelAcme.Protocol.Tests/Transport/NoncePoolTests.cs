using KestrelAcme.Protocol.Transport;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class NoncePoolTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly NoncePool _pool;

    public NoncePoolTests() => _pool = new NoncePool(_time);

    [Fact]
    public void TryTake_Several_NewestFirstAndOnce()
    {
        _pool.Add("a");
        _pool.Add("b");

        Assert.Equal("b", _pool.TryTake());
        Assert.Equal("a", _pool.TryTake());
        Assert.Null(_pool.TryTake());
    }

    [Fact]
    public void TryTake_Stale_AreDropped()
    {
        _pool.Add("old");
        _time.Advance(TimeSpan.FromMinutes(11));

        Assert.Null(_pool.TryTake());
        Assert.Equal(0, _pool.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a=")]
    [InlineData("a,b")]
    public void Add_NoBase64Url_IsIgnored(string? nonce)
    {
        _pool.Add(nonce);

        Assert.Null(_pool.TryTake());
    }

    [Fact]
    public void Add_Many_IsBounded()
    {
        for (var i = 0; i < 1000; i++)
        {
            _pool.Add($"n{i}");
        }

        Assert.Equal(64, _pool.Count);
        Assert.Equal("n999", _pool.TryTake());
    }
}
