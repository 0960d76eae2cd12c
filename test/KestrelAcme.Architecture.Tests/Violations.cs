using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>Fails with every violation, each on a line of its own; xunit's own message would cut them off.</summary>
internal static class Violations
{
    public static void None(string rule, IEnumerable<string> found)
    {
        var lines = found.Distinct().ToList();
        if (lines.Count > 0)
        {
            Assert.Fail($"{rule}:\n  {string.Join("\n  ", lines)}");
        }
    }
}
