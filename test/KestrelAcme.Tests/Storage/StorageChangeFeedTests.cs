using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class StorageChangeFeedTests
{
    [Fact]
    public async Task ReadAllAsync_MoreThanFits_ReportsEverythingAgain()
    {
        var feed = new StorageChangeFeed();
        for (var i = 0; i < 5000; i++)
        {
            feed.Post(new($"a/{i}"));
        }

        var everything = 0;
        await foreach (var change in feed.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (change == StorageChange.Everything && ++everything == 2)
            {
                break;
            }
        }

        Assert.Equal(2, everything);
    }
}
