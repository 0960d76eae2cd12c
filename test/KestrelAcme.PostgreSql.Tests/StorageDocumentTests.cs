using System.Text.RegularExpressions;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>The statements in docs/storage.md are those of the code.</summary>
public sealed partial class StorageDocumentTests
{
    [Fact]
    public void Script_DefaultOptions_IsInTheDocument()
    {
        var schema = new PostgreSqlSchema(new());
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent!;
        }

        var document = WhiteSpace().Replace(File.ReadAllText(Path.Combine(folder.FullName, "docs", "storage.md")), " ");

        Assert.Contains($"{schema.Script} {schema.GrantsTo("app")}", document, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
