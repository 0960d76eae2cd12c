using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

public sealed class IntermediatePoolTests
{
    private readonly IntermediatePool _pool = new();

    [Fact]
    public void Share_SameContent_IsOneCopy()
    {
        var first = _pool.Share([1, 2, 3]);

        Assert.True(first.Equals(_pool.Share([1, 2, 3])));
        Assert.False(first.Equals(_pool.Share([1, 2, 4])));
        Assert.Equal([1, 2, 3], first.ToArray());
    }

    [Fact]
    public void Share_Chain_KeepsItsLeafAndSharesTheRest()
    {
        ReadOnlyMemory<byte> issuer = new byte[] { 4, 5 };
        IReadOnlyList<ReadOnlyMemory<byte>> first = [new byte[] { 1 }, issuer];
        Assert.Same(first, _pool.Share(first));

        var leaf = new ReadOnlyMemory<byte>([2]);
        var second = _pool.Share([leaf, new byte[] { 4, 5 }]);

        Assert.True(second[0].Equals(leaf));
        Assert.True(second[1].Equals(issuer));
    }

    [Fact]
    public void Share_MoreThanTheLimit_AreNotKept()
    {
        for (var i = 0; i < 1100; i++)
        {
            _pool.Share(BitConverter.GetBytes(i));
        }

        Assert.True(_pool.Share(BitConverter.GetBytes(1)).Equals(_pool.Share(BitConverter.GetBytes(1))));
        Assert.False(_pool.Share(BitConverter.GetBytes(1099)).Equals(_pool.Share(BitConverter.GetBytes(1099))));
        Assert.Equal(1099, BitConverter.ToInt32(_pool.Share(BitConverter.GetBytes(1099)).Span));
    }
}
