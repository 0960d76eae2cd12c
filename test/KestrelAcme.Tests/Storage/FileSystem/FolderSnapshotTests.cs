using KestrelAcme.Storage.FileSystem;
using Xunit;
using FolderSnapshot = KestrelAcme.Storage.FileSystem.FolderWatch.FolderSnapshot;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FolderSnapshotTests
{
    [Fact]
    public void ChangesSince_WrittenAddedAndRemoved_NamesJustThose()
    {
        var before = new FolderSnapshot([new("c/same", 1, 1), new("c/longer", 1, 1), new("c/later", 1, 1), new("c/gone", 1, 1)]);
        var after = new FolderSnapshot([new("c/later", 2, 1), new("c/new", 1, 1), new("c/same", 1, 1), new("c/longer", 1, 2)]);

        Assert.Equal(["c/gone", "c/later", "c/longer", "c/new"], after.ChangesSince(before));
    }

    [Fact]
    public void ChangesSince_Itself_IsEmpty()
    {
        var snapshot = new FolderSnapshot([new("b", 1, 1), new("a", 2, 2), new("a/b", 3, 3)]);

        Assert.Empty(snapshot.ChangesSince(snapshot));
        Assert.Empty(new FolderSnapshot([]).ChangesSince(new FolderSnapshot([])));
    }

    [Fact]
    public void ChangesSince_RandomScans_MatchComparisonByKey()
    {
        var random = new Random(20261122);
        for (var round = 0; round < 300; round++)
        {
            var (before, after) = (Scan(random), Scan(random));
            var expected = before.Concat(after).Select(f => f.Key).Distinct()
                .Where(key => before.SingleOrDefault(f => f.Key == key) != after.SingleOrDefault(f => f.Key == key))
                .Order(StringComparer.Ordinal);

            Assert.Equal(expected, new FolderSnapshot([.. after]).ChangesSince(new FolderSnapshot([.. before])));
        }
    }

    private static List<ScannedFile> Scan(Random random)
        => [.. Enumerable.Range(0, 30)
            .Where(_ => random.Next(2) == 0)
            .Select(i => new ScannedFile(KeyOf(i), 1 + random.Next(2), 1 + random.Next(2)))];

    private static string KeyOf(int i) => $"certificates/{new string((char)('a' + (i % 5)), 1 + (i / 5))}.pem";
}
