using KestrelAcme.Azure.Storage.Blobs;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class BlobNamesTests
{
    [Theory]
    [InlineData("a", "values/a")]
    [InlineData("a.", "values/a.~")]
    [InlineData("a./b..", "values/a.~/b..~")]
    [InlineData("a.b/c", "values/a.b/c")]
    [InlineData("...", "values/...~")]
    public void Value_Key_EndsNoSegmentWithADotAndIsReversible(string key, string name)
    {
        Assert.Equal(name, BlobNames.Value(key));
        Assert.Equal(key, BlobNames.Key(name));
        Assert.DoesNotContain(name.Split('/'), segment => segment.EndsWith('.'));
    }

    [Fact]
    public void ValuePrefix_Prefix_IsTheStartOfItsKeys()
    {
        Assert.Equal("values/", BlobNames.ValuePrefix(""));
        Assert.StartsWith(BlobNames.ValuePrefix("a./"), BlobNames.Value("a./b"), StringComparison.Ordinal);
        Assert.Null(BlobNames.Key("leases/a"));
    }
}
