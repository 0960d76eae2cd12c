using KestrelAcme.Architecture.Tests.Metadata;
using KestrelAcme.Architecture.Tests.Sources;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// The order of the rooms within the largest folders: each may use those below it. docs/architecture.md shows what they use.
/// </summary>
public sealed class RoomRulesTests
{
    // The folder's own namespace: the public types.
    private const string Root = "(root)";

    private static readonly Dictionary<string, string[]> Rooms = new(StringComparer.Ordinal)
    {
        ["Certificates"] =
        [
            "Engine", "OnDemand", "Stored", "Import", "Revocation", "Upkeep", "Attempts", "Scheduling", "Orders", "RateLimits", "Failures",
            "Authorities", "Domains", "Persistence", "Events", "Model", Root,
        ],
        ["Configuration"] = ["Binding", "Rules", "Snapshot", "Names", Root],
        ["Challenges"] = ["Routing", "Dns01", "TlsAlpn01", "Http01", Root],
    };

    private static readonly IReadOnlyCollection<TypeReferenceFact> Facts = AssemblyTypes.ReadReferences(
        Path.Combine(AppContext.BaseDirectory, "KestrelAcme.dll"));

    public static TheoryData<string> Folders => [.. Rooms.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Types_Room_UseRoomsBelow(string folder)
    {
        var wrong = Facts.Where(fact => IsUpwards(folder, fact.FromNamespace, fact.ToNamespace))
            .Select(fact => $"{fact.From} uses {fact.To}");

        Violations.None($"In {folder}, from the top down, a room uses those after it: {string.Join(", ", Rooms[folder])}", wrong);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Usings_Room_NameRoomsBelow(string folder)
    {
        var wrong = from room in Rooms[folder]
                    from file in Repository.Files($"src/KestrelAcme/{folder}", "*.cs").Select(path => new SourceFile(path))
                    where RoomOf(folder, file.NamespaceOfFolder) == room
                    from name in file.Usings
                    where IsUpwards(folder, file.NamespaceOfFolder, name)
                    select $"{file.Path} uses {name}";

        Violations.None($"In {folder}, from the top down, a room uses those after it: {string.Join(", ", Rooms[folder])}", wrong);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Rooms_Folder_HaveAPlace(string folder)
    {
        var there = Facts.Select(fact => RoomOf(folder, fact.FromNamespace)).OfType<string>().Distinct(StringComparer.Ordinal);

        Assert.Equal(Rooms[folder].Order(StringComparer.Ordinal), there.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Graph_Certificates_IsTheOneInTheDocumentation()
    {
        const string folder = "Certificates";
        var graph = string.Concat(Rooms[folder].Select(room =>
        {
            var used = Facts.Where(fact => RoomOf(folder, fact.FromNamespace) == room)
                .Select(fact => RoomOf(folder, fact.ToNamespace))
                .OfType<string>()
                .Distinct();
            return $"{room} -> {string.Join(", ", Rooms[folder].Where(other => other != room && used.Contains(other)))}".TrimEnd() + "\n";
        }));
        var path = Path.Combine(Repository.Root, "docs", "architecture.md");
        var text = File.ReadAllText(path);
        const string begin = "<!-- rooms -->\n```text\n";
        const string end = "```\n<!-- /rooms -->";
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal) + begin.Length, text.IndexOf(end, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..from] + graph + text[to..]);
            return;
        }

        Assert.Equal(graph, text[from..to]);
    }

    [Theory]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Certificates.Scheduling", true)]
    [InlineData("KestrelAcme.Certificates.Scheduling", "KestrelAcme.Certificates.Orders", false)]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Certificates", false)]
    [InlineData("KestrelAcme.Certificates", "KestrelAcme.Certificates.Orders", true)]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Challenges.Http01", false)]
    public void IsUpwards_Examples_FollowTheOrder(string from, string to, bool upwards)
        => Assert.Equal(upwards, IsUpwards("Certificates", from, to));

    private static bool IsUpwards(string folder, string from, string to)
        => RoomOf(folder, from) is { } user
            && RoomOf(folder, to) is { } used
            && Array.IndexOf(Rooms[folder], used) < Array.IndexOf(Rooms[folder], user);

    private static string? RoomOf(string folder, string name)
        => name.Split('.') switch
        {
            ["KestrelAcme", var first] when first == folder => Root,
            ["KestrelAcme", var first, var room, ..] when first == folder => room,
            _ => null,
        };
}
