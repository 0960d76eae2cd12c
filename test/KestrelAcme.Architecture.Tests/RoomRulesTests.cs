using KestrelAcme.Architecture.Tests.Metadata;
using KestrelAcme.Architecture.Tests.Sources;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>The order of the rooms within the largest folders: each may use those below it, and what stands in the folder itself.</summary>
public sealed class RoomRulesTests
{
    private static readonly Dictionary<string, string[]> Rooms = new(StringComparer.Ordinal)
    {
        ["Certificates"] = ["Engine", "Revocation", "Scheduling", "Loading", "Domains", "Orders", "Events", "Authorities", "Persistence", "Renewal"],
        ["Challenges"] = ["Places", "Dns01", "TlsAlpn01", "Http01"],
    };

    private static readonly IReadOnlyCollection<TypeReferenceFact> Facts = AssemblyTypes.ReadReferences(Path.Combine(AppContext.BaseDirectory, "KestrelAcme.dll"));

    public static TheoryData<string> Folders => [.. Rooms.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Types_Room_UseRoomsBelow(string folder)
    {
        var wrong = Facts.Where(fact => IsUpwards(folder, fact.FromNamespace, fact.ToNamespace)).Select(fact => $"{fact.From} uses {fact.To}");

        Violations.None($"In {folder}, from the top down, a room uses those after it: {string.Join(", ", Rooms[folder])}", wrong);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Usings_Room_NameRoomsBelow(string folder)
    {
        var wrong = from room in Rooms[folder]
                    from path in Repository.Files($"src/KestrelAcme/{folder}/{room}", "*.cs")
                    from name in new SourceFile(path).Usings
                    where IsUpwards(folder, $"KestrelAcme.{folder}.{room}", name)
                    select $"{path} uses {name}";

        Violations.None($"In {folder}, from the top down, a room uses those after it: {string.Join(", ", Rooms[folder])}", wrong);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Rooms_Folder_HaveAPlace(string folder)
    {
        var there = Facts.Select(fact => RoomOf(folder, fact.FromNamespace)).OfType<string>().Distinct(StringComparer.Ordinal);

        Assert.Equal(Rooms[folder].Order(StringComparer.Ordinal), there.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Certificates.Scheduling", true)]
    [InlineData("KestrelAcme.Certificates.Scheduling", "KestrelAcme.Certificates.Orders", false)]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Certificates", false)]
    [InlineData("KestrelAcme.Certificates.Orders", "KestrelAcme.Challenges.Http01", false)]
    public void IsUpwards_Examples_FollowTheOrder(string from, string to, bool upwards) => Assert.Equal(upwards, IsUpwards("Certificates", from, to));

    private static bool IsUpwards(string folder, string from, string to)
        => RoomOf(folder, from) is { } user && RoomOf(folder, to) is { } used && Array.IndexOf(Rooms[folder], used) < Array.IndexOf(Rooms[folder], user);

    private static string? RoomOf(string folder, string name)
        => name.Split('.') is ["KestrelAcme", var first, var room, ..] && first == folder ? room : null;
}
