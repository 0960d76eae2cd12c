using KestrelAcme.Fuzz;
using Xunit;

namespace KestrelAcme.Tests.Fuzz;

/// <summary>Reads what fuzzing found once more: seeds, and every input that ever ended in an exception.</summary>
public sealed class FuzzCorpusTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Run_Corpus_EndsAsDocumented(string target)
    {
        var inputs = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "corpus", target));

        Assert.NotEmpty(inputs);
        Assert.All(inputs, input => FuzzTargets.Find(target).Run(File.ReadAllBytes(input)));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Run_MutatedCorpus_EndsAsDocumented(string target)
    {
        var random = new Random(8555);
        foreach (var input in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "corpus", target)).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(input);
            for (var i = 0; i < 500; i++)
            {
                var mutated = Mutate(random, bytes);
                var exception = Record.Exception(() => FuzzTargets.Find(target).Run(mutated));
                Assert.True(exception is null, $"{Convert.ToHexString(mutated)}: {exception}");
            }
        }
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        var mutated = bytes.ToArray();
        for (var changes = random.Next(1, 4); changes > 0 && mutated.Length > 0; changes--)
        {
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
        }

        return random.Next(4) == 0 ? mutated[..random.Next(mutated.Length + 1)] : mutated;
    }
}
