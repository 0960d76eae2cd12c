using System.Text.RegularExpressions;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// A callback of a token may be the application's; what it throws must end neither the process (on a timer's thread) nor the work that
/// cancels.
/// </summary>
public sealed partial class CancellationRulesTests
{
    private static readonly string[] Exempt = ["TimeLimit.cs", "LeaseExpiry.cs"];

    [Fact]
    public void Sources_Product_AreCancelledQuietly()
    {
        var files = Repository.Files("src/KestrelAcme", "*.cs")
            .Concat(Repository.Files("src/KestrelAcme.Azure", "*.cs"))
            .Concat(Repository.Files("src/KestrelAcme.Protocol", "*.cs"))
            .Where(file => !Exempt.Contains(Path.GetFileName(file)));
        var wrong = from file in files
                    from line in File.ReadLines(file)
                    where Loud().IsMatch(line)
                    select $"{Repository.Relative(file)}: {line.Trim()}";

        Violations.None("A time-out is a TimeLimit, and a source is cancelled by CancelQuietly or CancelQuietlyAsync", wrong);
    }

    [GeneratedRegex(@"new CancellationTokenSource\([^)]|\.Cancel\(\)|\.CancelAsync\(\)|\.CancelAfter\(")]
    private static partial Regex Loud();
}
