using System.Text.RegularExpressions;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>Tests are named Method_State_Result.</summary>
public sealed partial class TestNameTests
{
    [Fact]
    public void Names_AllTests_HaveThreeParts()
    {
        var names = Repository.Files("test", "*.cs")
            .SelectMany(file => Test().Matches(File.ReadAllText(file)).Select(m => m.Groups["name"].Value))
            .ToList();

        Assert.True(names.Count > 1000, $"Only {names.Count} tests were found.");
        Violations.None("A test is named Method_State_Result", names.Where(name => name.Split('_') is not [_, _, _]));
    }

    [GeneratedRegex(@"\[(Fact|Theory)\b[^\n]*\]\s*(\[[^\n]*\]\s*)*public (async )?(Task|ValueTask|void) (?<name>\w+)\(")]
    private static partial Regex Test();
}
