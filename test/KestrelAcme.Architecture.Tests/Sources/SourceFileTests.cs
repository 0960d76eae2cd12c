using Xunit;

namespace KestrelAcme.Architecture.Tests.Sources;

public sealed class SourceFileTests
{
    [Theory]
    [InlineData("public sealed class Order", "Order")]
    [InlineData("internal readonly record struct Order(int Number);", "Order")]
    [InlineData("public abstract partial class Order<T> : Base", "Order")]
    [InlineData("file static class Order", "Order")]
    [InlineData("public delegate Task<int> Order(int number);", "Order")]
    [InlineData("public record Order;", "Order")]
    [InlineData("enum Order", "Order")]
    public void Types_TopLevelDeclaration_IsFound(string line, string name) =>
        Assert.Equal([name], new SourceFile("src/P/Order.cs", [line]).Types);

    [Theory]
    [InlineData("    public sealed class Nested")]
    [InlineData("/// class Commented")]
    [InlineData("using System.Class;")]
    [InlineData("[Attribute] // class")]
    public void Types_AnythingElse_IsNot(string line) => Assert.Empty(new SourceFile("src/P/Order.cs", [line]).Types);

    [Fact]
    public void Namespace_File_IsRead()
    {
        var file = new SourceFile(
            "src/KestrelAcme/Tls/Peek.cs",
            ["using System.IO;", "using static KestrelAcme.Configuration.Limits;", "", "namespace KestrelAcme.Tls;"]);

        Assert.Equal("KestrelAcme.Tls", file.Namespace);
        Assert.Equal("KestrelAcme.Tls", file.NamespaceOfFolder);
        Assert.Equal(["System.IO", "KestrelAcme.Configuration.Limits"], file.Usings);
    }
}
